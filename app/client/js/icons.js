// Line icons on a 24 × 24 grid.
import { svgElement } from "./dom.js";

const PATHS = {
  movie: ["M4 4h16v16H4z", "M8 4v16M16 4v16M4 8h4M4 12h16M4 16h4M16 8h4M16 16h4"],
  heart: ["M12 20.5S3.5 15.6 3.5 9.4A4.6 4.6 0 0 1 12 7a4.6 4.6 0 0 1 8.5 2.400c0 6.2-8.5 11.1-8.5 11.100z"],
  image: ["M4 5h16v14H4z", "m4 16 5-5 4 4 3-3 4 4", "M15.5 8.500h.01"],
  person: ["M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M4 20.500c.8-4 4-6 8-6s7.2 2 8 6"],
  logout: ["M14 4H5v16h9", "M10 12h10M16.5 8.5 20 12l-3.5 3.5"],
  search: ["M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z", "m15.5 15.5 5 5"],
  close: ["M6 6l12 12M18 6 6 18"],
  previous: ["m14.5 5-7 7 7 7"],
  next: ["m9.5 5 7 7-7 7"],
  upload: ["M12 16V4M7 9l5-5 5 5", "M4 15v5h16v-5"],
  delete: ["M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13"],
  newTab: ["M13 5h6v6M19 5l-8 8", "M10 6H5v13h13v-5"],
  edit: ["M4 20h4L19.5 8.500l-4-4L4 16z", "m13 7 4 4"],
  show: ["M2.5 12S6 5.500 12 5.500 21.5 12 21.5 12 18 18.500 12 18.500 2.5 12 2.5 12z", "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z"],
  unavailable: ["M4 4l16 16", "M7 18a4 4 0 0 1-.5-7.97M9.5 6.500A6 6 0 0 1 17.8 11 3.6 3.6 0 0 1 19.5 17.2"],
};

// icon returns an icon. It is hidden from screen readers: the control around it has the name.
export function icon(name) {
  return svgElement("svg", { class: `icon icon-${name}`, viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    PATHS[name].map((d) => svgElement("path", { d })));
}
