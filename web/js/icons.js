/** Small drawings of 24 by 24; they say nothing to a screen reader, words beside them do. */

import { drawn } from "./dom.js";

const PATHS = {
  optimize: ["M12 3l1.9 5.1L19 10l-5.1 1.9L12 17l-1.9-5.1L5 10l5.1-1.9z", "M19 16v4M17 18h4"],
  ongoing: ["M12 7v5l3 2", "M21 12a9 9 0 1 1-9-9 9 9 0 0 1 9 9z"],
  completed: ["M3 6.5A1.5 1.5 0 0 1 4.5 5h15A1.5 1.5 0 0 1 21 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z", "M12 5v14", "M6 15l2-3 1.5 2"],
  usage: ["M4 20h16", "M7 20v-6", "M12 20V5", "M17 20v-9"],
  search: ["M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z", "M20 20l-4.9-4.9"],
  pending: ["M12 7v5l3 2", "M21 12a9 9 0 1 1-9-9 9 9 0 0 1 9 9z"],
  running: ["M12 3a9 9 0 1 1-6.4 2.6", "M5 3v3.5h3.5"],
  done: ["M5 12.5l4.5 4.5L19 7.5"],
  failed: ["M12 4L2.8 20h18.4z", "M12 10v4", "M12 17.2v.1"],
  canceled: ["M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0z", "M5.8 5.8l12.4 12.4"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  left: ["M15 5l-7 7 7 7"],
  right: ["M9 5l7 7-7 7"],
  download: ["M12 4v11", "M7.5 11l4.5 4.5 4.5-4.5", "M5 20h14"],
  compare: ["M12 3v18", "M8.5 8L5 12l3.5 4", "M15.5 8l3.5 4-3.5 4"],
  picture: ["M4 5h16v14H4z", "M4 16l4.5-4.5 4 4 2.5-2.5 5 5", "M15.5 9.5h.1"],
  shop: ["M4 9l1.5-5h13L20 9", "M4 9v11h16V9z", "M9 20v-6h6v6"],
  key: ["M14.5 9.5a4.5 4.5 0 1 1-1.6-3.4 4.5 4.5 0 0 1 1.6 3.4z", "M13.5 12l7 7", "M17.5 16l2-2"],
  offline: ["M3 3l18 18", "M8.5 15.5a5 5 0 0 1 6.2-.7", "M5 12a10 10 0 0 1 3.6-2.3", "M12.5 9a10 10 0 0 1 6.5 3", "M12 19v.1"],
  link: ["M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1", "M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1"],
  out: ["M14 4h5v16h-5", "M4 12h10", "M10.5 8.5L14 12l-3.5 3.5"],
  refresh: ["M20 5v5h-5", "M20 10a8 8 0 1 0 .3 4"],
  book: ["M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3z", "M5 17a3 3 0 0 1 3-3h11"],
};

/** Draw one of them. */
export function icon(name) {
  const lines = PATHS[name].map((path) => drawn("path", { d: path }));
  return drawn("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, lines);
}
