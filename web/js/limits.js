/** What the API takes; a test compares these with the API's own. */

export const MOST_IMAGES = 10;
export const MOST_JOBS = 100;
export const LONGEST_PROMPT = 2000;
export const ASPECT_RATIOS = [
  ["match_input_image", "As the original"],
  ["1:1", "1:1 square"],
  ["2:3", "2:3 portrait"],
  ["3:2", "3:2 landscape"],
  ["3:4", "3:4 portrait"],
  ["4:3", "4:3 landscape"],
  ["4:5", "4:5 portrait"],
  ["5:4", "5:4 landscape"],
  ["9:16", "9:16 story"],
  ["16:9", "16:9 wide"],
  ["21:9", "21:9 banner"],
  ["1:4", "1:4 tall"],
  ["4:1", "4:1 strip"],
  ["1:8", "1:8 very tall"],
  ["8:1", "8:1 long strip"],
];
export const OUTPUT_FORMATS = [
  ["jpg", "JPG"],
  ["png", "PNG"],
];
export const UPLOAD_KINDS = ["image/jpeg", "image/png", "image/webp"];
export const MOST_REFERENCES = 3;
/** Some of 1 to 100. */
export const QUALITIES = [
  ["", "As the model makes it"],
  ["90", "90, hardly smaller"],
  ["80", "80, for shops"],
  ["60", "60, small files"],
];
export const SUGGESTIONS = [
  "White studio background",
  "Warmer light",
  "Brighter, natural light",
  "Soft, dreamy look",
  "Blurred background",
  "More vivid colours",
  "Sharper, more contrast",
  "Black and white",
];
