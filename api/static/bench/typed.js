// What was typed or pasted, read as a decimal the server takes; what can mean two things is asked.
// Text in, text out: digits are never changed, only how they are written.

const WIDE = /[\uff01-\uff5e]/g; // what a Chinese input method types for ASCII
const BLANK = /[\s\u00a0\u2000-\u200b\u202f\u205f\u3000\ufeff'’]/g;
const DASH = /[\u2010-\u2015\u2212\ufe58\ufe63]/g;
const DECIMAL = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

export function hasDecimalComma(language) {
  return new Intl.NumberFormat(language).format(1.5).includes(",");
}

// kind: empty, plain, read (other signs, same digits), ask (choices), unit (another one), bad
export function interpret(text, { comma = false, unit = "", units = {} } = {}) {
  const given = text.trim();
  if (!given) return { kind: "empty", value: "" };
  if (DECIMAL.test(given)) {
    const grouped = comma && /^[+-]?[1-9]\d{0,2}\.\d{3}$/.test(given);
    return grouped ? { kind: "ask", choices: [given, given.replace(".", "")] } : { kind: "plain", value: given };
  }
  const half = halfWidth(given);
  const [digits, named] = cutUnit(half, units);
  if (named && unit && named !== unit) return { kind: "unit", unit: named };
  const spaced = /\d[\s\u00a0\u2000-\u200b\u202f\u3000]+\d/.test(digits.trim());
  const plain = digits.replace(BLANK, "");
  const groups = spaced && !/^[+-]?\d{1,3}(?:[\s\u00a0\u2009\u202f\u3000]\d{3})+(?:[.,]\d+)?$/.test(digits.trim());
  if (groups) return { kind: "bad" };
  return number(plain, comma);
}

function number(plain, comma) {
  if (DECIMAL.test(plain)) {
    const grouped = comma && /^[+-]?[1-9]\d{0,2}\.\d{3}$/.test(plain);
    return grouped ? { kind: "ask", choices: [plain, plain.replace(".", "")] } : { kind: "read", value: plain };
  }
  const sign = /^[+-]/.test(plain) ? plain[0] : "";
  const body = plain.slice(sign.length);
  if (/^\d{1,3}(,\d{3})+\.\d+$/.test(body) || /^\d{1,3}(,\d{3}){2,}$/.test(body)) return read(sign + body.replaceAll(",", ""));
  if (/^\d{1,3}(\.\d{3})+,\d+$/.test(body) || /^\d{1,3}(\.\d{3}){2,}$/.test(body)) return read(sign + body.replaceAll(".", "").replace(",", "."));
  if (/^[1-9]\d{0,2},\d{3}$/.test(body)) {
    const both = [sign + body.replace(",", "."), sign + body.replace(",", "")];
    return { kind: "ask", choices: comma ? both : both.reverse() };
  }
  if (/^\d+,\d+$/.test(body)) return read(sign + body.replace(",", "."));
  return { kind: "bad" };
}

function read(value) { return { kind: "read", value }; }

function halfWidth(text) {
  return text.replace(WIDE, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .replaceAll("。", ".").replaceAll("℃", "°C").replaceAll("℉", "°F").replace(DASH, "-");
}

// The unit behind the digits, by the spellings that are known; the rest is left for the digits.
function cutUnit(text, units) {
  const tail = text.match(/[^\d.,+\-\s][^\d]*$/)?.[0] ?? "";
  if (!tail || /^[eE]$/.test(tail)) return [text, ""];
  const wanted = tail.replace(BLANK, "").toLowerCase();
  const found = Object.entries(units).find(([, ways]) => ways.some((way) => halfWidth(way).replace(BLANK, "").toLowerCase() === wanted));
  return found ? [text.slice(0, -tail.length), found[0]] : [text, ""];
}

// A pasted block as rows of texts. Where commas may part numbers or decimals, both readings come.
export function block(text) {
  const whole = text.replace(/\r\n?/g, "\n").replace(/\n+$/, "");
  if (whole.includes("\t")) return { ways: [rowsOf(whole, "\t")] };
  if (whole.includes(";") || whole.includes("；")) return { ways: [rowsOf(whole.replaceAll("；", ";"), ";")] };
  if (!/[,，]/.test(whole)) return { ways: [rowsOf(whole, "\t")] };
  const parted = rowsOf(whole, ",");
  const quoted = /^\s*"|,\s*"|"\s*,/m.test(whole);
  if (quoted || parted.some((row) => row.length > 2 || (row.length > 1 && row.some((one) => one.includes("."))))) return { ways: [parted] };
  const lines = rowsOf(whole, "\t");
  return lines.length > 1 && parted.every((row) => row.length === 2) ? { ways: [lines, parted] } : { ways: [lines] };
}

// Fields may stand in quotes, with separators, line ends and doubled quotes inside.
function rowsOf(text, separator) {
  const rows = [[]];
  let field = "";
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const sign = text[i];
    if (quoted) {
      if (sign === '"' && text[i + 1] === '"') { field += '"'; i += 1; } else if (sign === '"') quoted = false; else field += sign;
    } else if (sign === '"' && !field.trim()) { quoted = true; field = ""; } else if (sign === separator || sign === "\n") {
      rows.at(-1).push(field.trim());
      field = "";
      if (sign === "\n") rows.push([]);
    } else field += sign;
  }
  rows.at(-1).push(field.trim());
  return rows;
}
