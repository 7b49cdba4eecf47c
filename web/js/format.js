/** Numbers, times and counts as people say them, in their own language's manner. */

const NUMBER = new Intl.NumberFormat();
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const UTC_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const UTC_DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const PERCENT = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** 1250 → "1,250". */
export function number(value) {
  return NUMBER.format(value);
}

/** "1 image", "3 images". */
export function counted(value, one, many = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** "24.00" and "EUR" → "€24.00"; without a currency the number alone. */
export function money(price, currency) {
  if (!currency) return price;
  return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(price);
}

/** A moment: the time for today's, else the day as well. */
export function moment(text) {
  const when = new Date(text);
  const today = when.toDateString() === new Date().toDateString();
  return (today ? TIME : DAY).format(when);
}

/** A day in full. */
export function date(text) {
  return DATE.format(new Date(text));
}

/** A day of the calendar, "2026-11-03", with or without its year: "3 Nov", "3 Nov 2026". */
export function calendarDay(text, { year = false } = {}) {
  return (year ? UTC_DATE : UTC_DAY).format(new Date(`${text}T00:00:00Z`));
}

/** 0.875 → "87.5%". */
export function percent(share) {
  return PERCENT.format(share);
}

/** What is to come: "in 12 seconds", "in 3 minutes", "any moment now". */
export function until(text) {
  const seconds = (new Date(text) - Date.now()) / 1000;
  if (seconds < 5) return "any moment now";
  if (seconds < 100) return RELATIVE.format(Math.ceil(seconds / 5) * 5, "second");
  if (seconds < 5400) return RELATIVE.format(Math.round(seconds / 60), "minute");
  return RELATIVE.format(Math.round(seconds / 3600), "hour");
}

/** How long something took: "48 s", "3 min 5 s", "2 h 4 min". */
export function took(from, to) {
  return lasting(Math.max(0, Math.round((new Date(to) - new Date(from)) / 1000)));
}

/** The same of whole seconds. */
export function lasting(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
