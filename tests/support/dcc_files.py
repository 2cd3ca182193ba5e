"""Small DCC files made for tests: one table of a reference, an indication and an error."""

from __future__ import annotations

HEAD = """<dcc:digitalCalibrationCertificate xmlns:dcc="https://ptb.de/dcc"
 xmlns:si="https://ptb.de/si" schemaVersion="{version}"><dcc:administrativeData>
<dcc:coreData><dcc:uniqueIdentifier>N-1</dcc:uniqueIdentifier>
<dcc:endPerformanceDate>{on}</dcc:endPerformanceDate></dcc:coreData>
<dcc:items><dcc:item><dcc:name><dcc:content>Probe</dcc:content></dcc:name>
<dcc:model>P</dcc:model></dcc:item></dcc:items>
<dcc:calibrationLaboratory><dcc:contact><dcc:name><dcc:content lang="de">Amt</dcc:content>
<dcc:content lang="en">Institute</dcc:content></dcc:name></dcc:contact></dcc:calibrationLaboratory>
</dcc:administrativeData><dcc:measurementResults><dcc:measurementResult><dcc:results><dcc:result>
<dcc:name><dcc:content>R</dcc:content></dcc:name><dcc:data><dcc:list>"""
TAIL = """</dcc:list></dcc:data></dcc:result></dcc:results></dcc:measurementResult>
</dcc:measurementResults></dcc:digitalCalibrationCertificate>"""


def column(kind, values, unit=r"\degreecelsius", uncertainty=""):
    return (
        f'<dcc:quantity refType="{kind}"><si:realListXMLList><si:valueXMLList>{values}'
        f"</si:valueXMLList><si:unitXMLList>{unit}</si:unitXMLList>{uncertainty}"
        "</si:realListXMLList></dcc:quantity>"
    )


def expanded(values, k="2"):
    return (
        f"<si:expandedUncXMLList><si:uncertaintyXMLList>{values}</si:uncertaintyXMLList>"
        f"<si:coverageFactorXMLList>{k}</si:coverageFactorXMLList></si:expandedUncXMLList>"
    )


REFERENCE = column("basic_referenceValue", "10.00 20.00")
INDICATION = column("basic_measuredValue", "10.1 20.2")
ERROR = column("basic_measurementError", "0.10 0.20", r"\kelvin", expanded("0.05 0.06"))
TABLE = REFERENCE + INDICATION + ERROR


def document(body=TABLE, version="3.2.1", on="2025-09-01"):
    return (HEAD.format(version=version, on=on) + body + TAIL).encode()
