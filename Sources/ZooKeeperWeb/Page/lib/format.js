// How numbers, times and sizes are written for people.

/** 1,234.5, with at most so many digits after the point. An Intl.NumberFormat would delay the first paint by 10 ms. */
function written(value, digits) {
  const [whole, part] = String(Math.round(value * 10 ** digits) / 10 ** digits).split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "");
}

/** 100,000; a dash where nothing is known. */
export function count(value) {
  return value === null || value === undefined ? "–" : written(value, 3);
}

/** "1 znode", "2 znodes". */
export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** 512 B, 1.2 KiB, 1 MiB. */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${written(value, 1)} ${units[unit]}`;
}

/** 850 ms, 12.3 s, 4 min 10 s, 3 h 20 min, 5 d 2 h. */
export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "–";
  if (milliseconds < 1000) return `${written(milliseconds, 1)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${written(seconds, 1)} s`;
  const whole = Math.floor(seconds);
  if (whole < 3600) return pair(Math.floor(whole / 60), "min", whole % 60, "s");
  if (whole < 86_400) return pair(Math.floor(whole / 3600), "h", Math.floor(whole % 3600 / 60), "min");
  return pair(Math.floor(whole / 86_400), "d", Math.floor(whole % 86_400 / 3600), "h");
}

function pair(first, firstUnit, second, secondUnit) {
  return second ? `${count(first)} ${firstUnit} ${second} ${secondUnit}` : `${count(first)} ${firstUnit}`;
}

// What a server was begun with has the time 0.
const BEFORE_ALL = "before the first transaction";

/** "just now", "4 min ago", "3 d ago". */
export function ago(time, now = Date.now()) {
  if (time === null || time === undefined) return "–";
  const past = now - new Date(time).getTime();
  if (Number.isNaN(past)) return "–";
  if (past === now) return BEFORE_ALL;
  if (Math.abs(past) < 2000) return "just now";
  const text = duration(Math.abs(past)).replace(/\.\d+(?= s)/, "").replace(/ \d+ (s|min|h)$/, (part) =>
    Math.abs(past) >= 60_000 ? "" : part);
  return past < 0 ? `in ${text}` : `${text} ago`;
}

/** A moment in both ways: `2026-03-01 14:05:09 · 3 min ago`. */
export function moment(value) {
  const [when, past] = [time(value), ago(value)];
  return when === past ? when : `${when} · ${past}`;
}

/** 2026-03-01 14:05:09 in the browser's zone. */
export function time(value) {
  const date = new Date(value);
  if (value === null || value === undefined || Number.isNaN(date.getTime())) return "–";
  if (date.getTime() === 0) return BEFORE_ALL;
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `
    + `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** 14:05:09.123, for logs. */
export function clockTime(value) {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? "–"
    : `${time(value).slice(11)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** A zxid as epoch and counter; null for other text. */
export function zxidParts(zxid) {
  try {
    const value = BigInt(zxid);
    return { epoch: Number(value >> 32n), counter: Number(value & 0xffff_ffffn) };
  } catch {
    return null;
  }
}

/** "epoch 5, transaction 12". */
export function zxidWords(zxid) {
  const parts = zxidParts(zxid);
  return parts ? `epoch ${count(parts.epoch)}, transaction ${count(parts.counter)}` : "–";
}
