"""Who and what the demo world is made of; all names are invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from calib.simulation.character import Grade
from instruments.policy import Role
from instruments.services.approval_rules import ApprovalRules

PASSWORD = "calib demo 2020"  # noqa: S105 -- the demo world is open to whoever runs it


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody of a lab or a venue."""

    key: str
    name: str
    roles: tuple[Role, ...]
    customer: str = ""


@dataclass(frozen=True, slots=True)
class DemoStandard:
    """A standard with a certificate as typed: (indication, reference, U) at k = 2."""

    code: str
    name_en: str
    name_zh: str
    model: str
    serial: str
    quantity: str
    unit: str
    number: str
    values: tuple[tuple[str, str, str], ...]
    low: str | None = None
    high: str | None = None
    kind: str = ""
    """Of the kinds that instrument types ask for."""


@dataclass(frozen=True, slots=True)
class DemoModel:
    """A maker's model of an instrument type."""

    type_id: str
    maker: str
    model: str
    use: str
    resolution: dict[str, str]
    mode: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    limits: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DemoInstrument:
    """An instrument, whether it is good, and when it was last certified."""

    model: str
    serial: str
    site: str
    location: str
    grade: Grade = "fine"
    days_ago: int | None = None
    """When its certificate was issued; None: never."""
    kind: str = "calibration"
    interval_months: int | None = 12
    pieces: int = 1
    status: str = "in_service"
    probe_serial: str = ""


LABS = (
    {
        "code": "LJ",
        "name_en": "Linjiang County Institute of Metrology",
        "name_zh": "临江县计量检定测试所",
        "address_en": "18 Binjiang Road, Linjiang",
        "address_zh": "临江县滨江路18号",
        "phone": "0571-5550 1800",
        "email": "office@linjiang-metrology.example",
        "accreditation": "CNAS L00000 (demo)",
        "authorisation": "（演示）法计 00000",
    },
    {
        "code": "NB",
        "name_en": "North Bank Calibration Laboratory",
        "name_zh": "北岸校准实验室",
        "address_en": "7 Harbour Street, North Bank",
        "address_zh": "北岸市港口街7号",
        "phone": "0574-5550 0700",
        "email": "desk@northbank-cal.example",
    },
)

AUTHORITY = {
    "code": "LJAMR",
    "name_en": "Linjiang Administration for Market Regulation",
    "name_zh": "临江县市场监督管理局",
}
OVERSEER = DemoPerson("inspector", "秦岚 Qin Lan", ())

PEOPLE: dict[str, tuple[DemoPerson, ...]] = {
    "LJ": (
        DemoPerson("technician", "陈静 Chen Jing", ("technician",)),
        DemoPerson("technician2", "吴涛 Wu Tao", ("technician", "reviewer")),
        DemoPerson("reviewer", "林芳 Lin Fang", ("reviewer",)),
        DemoPerson("signatory", "周明 Zhou Ming", ("signatory", "reviewer")),
        DemoPerson("manager", "郑红 Zheng Hong", ("manager",)),
        DemoPerson("station", "何伟 He Wei", ("venue_operator",), "station"),
        DemoPerson("school", "孙丽 Sun Li", ("venue_operator",), "school"),
        DemoPerson("hospital", "高峰 Gao Feng", ("venue_operator",), "hospital"),
    ),
    "NB": (
        DemoPerson("technician", "Anna Berg", ("technician",)),
        DemoPerson("reviewer", "Tom Hale", ("reviewer",)),
        DemoPerson("signatory", "Ines Roth", ("signatory",)),
        DemoPerson("manager", "Jan Voss", ("manager",)),
    ),
}

COMPETENT = {
    "technician": ("performs",),
    "reviewer": ("reviews",),
    "signatory": ("authorises",),
}
"""What each is authorised for, of every type; the second technician is still in training."""
RULES = ApprovalRules(keeps_competence=True, demands_signatures=False, separates_signatory=True)

CUSTOMERS: dict[str, dict[str, Any]] = {
    "station": {
        "name_en": "Linjiang East Railway Station",
        "name_zh": "临江火车东站",
        "address": "临江县站前广场1号",
        "contact": "何伟",
        "phone": "0571-5550 2101",
        "email": "safety@linjiang-east.example",
        "kind": "transport",
    },
    "school": {
        "name_en": "Linjiang No. 2 Middle School",
        "name_zh": "临江县第二中学",
        "address": "临江县文昌路66号",
        "contact": "孙丽",
        "phone": "0571-5550 3166",
        "email": "clinic@linjiang-no2.example",
        "kind": "school",
    },
    "hospital": {
        "name_en": "Linjiang County People's Hospital",
        "name_zh": "临江县人民医院",
        "address": "临江县健康路200号",
        "contact": "高峰",
        "phone": "0571-5550 4200",
        "email": "equipment@linjiang-hospital.example",
        "kind": "medical",
    },
}
SITES = {
    "station": (
        "station",
        "Linjiang East Railway Station",
        "临江火车东站",
        "railway_station",
        "城东",
    ),
    "school": ("school", "No. 2 Middle School", "第二中学", "school", "文昌"),
    "hospital": ("hospital", "People's Hospital", "人民医院", "hospital", "城中"),
}

STANDARDS = (
    DemoStandard(
        "S-001", "Blackbody source", "黑体辐射源", "BB-50", "BB-50-0217", "temperature", "degC",
        "NIM-D-0412",
        (("35.00", "35.02", "0.06"), ("37.00", "37.01", "0.06"), ("41.00", "40.98", "0.06")),
        "34.0", "42.0", kind="blackbody",
    ),
    DemoStandard(
        "S-002", "Platinum resistance thermometer with bridge", "标准铂电阻温度计及测温电桥",
        "PT-25/B10", "PT25-1188", "temperature", "degC", "NIM-T-0388",
        (("0.000", "0.002", "0.010"), ("35.000", "35.003", "0.010"), ("45.000", "45.003", "0.010"),
         ("100.000", "100.004", "0.012")), kind="prt",
    ),
    DemoStandard(
        "S-004", "Infusion device analyser", "输液泵分析仪", "IDA-4", "IDA4-0093", "volume_flow",
        "mL/h", "ZJIM-F-0077",
        (("1", "1.00", "0.02"), ("25", "25.05", "0.25"), ("100", "100.2", "1.0"),
         ("1200", "1202", "12")), kind="pump_analyser",
    ),
    DemoStandard(
        "S-005", "Digital pressure gauge", "数字压力计", "DP-200", "DP200-0311", "pressure", "kPa",
        "ZJIM-P-0103",
        (("0.0", "0.0", "0.2"), ("100.0", "100.1", "0.2"), ("200.0", "200.1", "0.3")),
        kind="pressure_gauge",
    ),
)  # fmt: skip
IN_THE_BATH = {
    "thermometer.glass_clinical": "S-002",
    "thermometer.medical_electronic": "S-002",
}
"""Standard of what is read in a bath, where two thermometers would fit."""
PROBE_STANDARD = DemoStandard(
    "S-003", "Pt 100 thermometer", "铂电阻温度计 Pt 100", "Pt 100", "PT100-0007", "temperature",
    "degC", "PTB-GP-TYPED",
    (("33.17", "33.098", "0.061"), ("100.06", "99.971", "0.061"), ("175.21", "175.103", "0.061"),
     ("250.16", "250.169", "0.061"), ("319.92", "320.004", "0.061")), kind="prt",
)  # fmt: skip
"""Values of PTB's published example certificate, typed where its file is not at hand."""

_PROBE_LIMITS = {
    "temperature": [
        {"document": "maker's manual", "confidence": "V2", "lower": "-0.5", "upper": "0.5"}
    ]
}
MODELS = (
    DemoModel(
        "thermometer.infrared_forehead", "Haikang Medical", "HT-820", "clinical",
        {"temperature": "0.1"}, "off; hold SCAN and MODE for 5 s until CAL shows",
    ),
    DemoModel(
        "thermometer.infrared_forehead", "Tianhe", "TH-200", "clinical", {"temperature": "0.1"},
        "press MEM six times; display shows S",
    ),
    DemoModel(
        "thermometer.infrared_forehead", "Nameless", "IR-988", "clinical", {"temperature": "0.1"}
    ),
    DemoModel(
        "thermometer.infrared_forehead", "Kilntech", "KT-600 (kiln)", "industrial",
        {"temperature": "0.1"}, "none needed: shows surface temperature",
    ),
    DemoModel(
        "thermometer.infrared_ear", "Haikang Medical", "ET-100", "clinical", {"temperature": "0.1"},
        "insert battery with the button held; display shows CAL",
    ),
    DemoModel(
        "thermometer.medical_electronic", "Yuehua", "DT-01", "clinical", {"temperature": "0.01"}
    ),
    DemoModel(
        "thermometer.glass_clinical", "Yuehua", "G-35-42 (gallium)", "clinical",
        {"temperature": "0.02"},  # read to a fifth of a division of 0.1
    ),
    DemoModel(
        "thermometer.digital_probe", "Thermolab", "TL-3", "industrial", {"temperature": "0.01"},
        limits=_PROBE_LIMITS,
    ),
    DemoModel(
        "pump.infusion_syringe", "Medline", "SP-50", "clinical", {"flow": "0.1", "occlusion": "1"},
        attributes={"pump": "syringe"},
    ),
)  # fmt: skip


def _row(
    model: str,
    serial: str,
    site: str,
    place: str,
    days: int | None = None,
    *,
    verified: bool = False,
    **more: Any,
) -> DemoInstrument:
    if verified:
        more |= {"kind": "verification", "interval_months": None}
    return DemoInstrument(model, serial, site, place, days_ago=days, **more)


_STATION = (
    _row("HT-820", "HT82-100", "station", "1号口 Gate 1", 40),
    _row("HT-820", "HT82-101", "station", "2号口 Gate 2", 40),
    _row("HT-820", "HT82-102", "station", "3号口 Gate 3", 41),
    _row("HT-820", "HT82-103", "station", "4号口 Gate 4", 41),
    _row("HT-820", "HT82-104", "station", "5号口 Gate 5", 200),
    _row("HT-820", "HT82-105", "station", "6号口 Gate 6", 201),
    _row("HT-820", "HT82-106", "station", "7号口 Gate 7", 346),
    _row("HT-820", "HT82-107", "station", "8号口 Gate 8", 348),
    _row("HT-820", "HT82-108", "station", "9号口 Gate 9", 60, grade="bad"),
    _row("HT-820", "HT82-109", "station", "10号口 Gate 10"),
)
_SCHOOL = (
    _row("TH-200", "TH2-20", "school", "校门 Main gate", 90),
    _row("TH-200", "TH2-21", "school", "校医室 Clinic", 90),
    _row("TH-200", "TH2-22", "school", "宿舍 Dormitory", 360),
    _row("TH-200", "TH2-23", "school", "食堂 Canteen", 361),
    _row("TH-200", "TH2-24", "school", "体育馆 Gym"),
    _row("IR-988", "988-0005", "school", "东门 East gate"),
    _row("KT-600 (kiln)", "KT-0041", "school", "西门 West gate"),
    _row("G-35-42 (gallium)", "26070001-26070020", "school", "校医室 Clinic", 120,
         verified=True, pieces=20),
    _row("DT-01", "DT1-5001", "school", "校医室 Clinic", 30, verified=True),
    _row("DT-01", "DT1-5002", "school", "校医室 Clinic", verified=True),
)  # fmt: skip
_HOSPITAL = (
    _row("HT-820", "HT82-300", "hospital", "门诊 Outpatients", 15),
    _row("HT-820", "HT82-301", "hospital", "急诊 Emergency", 15),
    _row("HT-820", "HT82-302", "hospital", "发热门诊 Fever clinic", 16),
    _row("HT-820", "HT82-303", "hospital", "住院部 Wards", 345),
    _row("ET-100", "ET1-700", "hospital", "儿科 Paediatrics", 50, verified=True),
    _row("ET-100", "ET1-701", "hospital", "急诊 Emergency", 50, verified=True),
    _row("ET-100", "ET1-702", "hospital", "住院部 Wards", 380, verified=True),
    _row("ET-100", "ET1-703", "hospital", "门诊 Outpatients", verified=True),
    _row("DT-01", "DT1-8000", "hospital", "病房 Ward 1", 100, verified=True),
    _row("DT-01", "DT1-8001", "hospital", "病房 Ward 2", 100, verified=True),
    _row("DT-01", "DT1-8002", "hospital", "病房 Ward 3", 100, grade="bad", verified=True),
    _row("TL-3", "TL3-10", "hospital", "供应室 Supply", 25, probe_serial="P-10"),
    _row("TL-3", "TL3-11", "hospital", "供应室 Supply", 180, probe_serial="P-11"),
    _row("SP-50", "SP5-41", "hospital", "重症 ICU", 70),
    _row("SP-50", "SP5-42", "hospital", "重症 ICU", 70),
    _row("SP-50", "SP5-43", "hospital", "重症 ICU"),
    _row("SP-50", "SP5-44", "hospital", "重症 ICU"),
    _row("TH-200", "TH2-90", "hospital", "库房 Store", status="out_of_service"),
    _row("TH-200", "TH2-91", "hospital", "车库 Garage"),
    _row("TH-200", "TH2-92", "hospital", "行政楼 Offices", 12),
)
INSTRUMENTS = (*_STATION, *_SCHOOL, *_HOSPITAL)

WAITING = (
    ("requested", "HT82-109"),
    ("accepted", "TH2-24"),
    ("received", "DT1-5002"),
    ("draft", "SP5-43"),
    ("submitted", "ET1-703"),
    ("reviewed", "SP5-44"),
    ("authorised", "TH2-91"),
)
"""One order waiting at each station of the path: the station and the instrument's serial."""
AMENDED = "HT82-300"
"""The serial whose certificate was amended."""
UNCALIBRATABLE = "988-0005"
"""The serial of the model without known calibration mode: its order was closed, not failed."""
