// The tabs of a run that few readers open: loaded together, when the first of them is wanted.
export { RunFiles } from "./RunFiles";
export { RunMedia } from "./RunMedia";
export { RunModel } from "./RunModel";
