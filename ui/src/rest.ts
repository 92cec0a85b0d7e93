// What nobody needs at first: it is loaded in one piece a moment after the first page is there, or when it is wanted.
export { Palette } from "./components/Palette";
export { ComparePage } from "./pages/Compare";
export { NewSweepPage } from "./pages/NewSweep";
export { PoolPage } from "./pages/Pool";
export { RunFiles } from "./pages/RunFiles";
export { RunMedia } from "./pages/RunMedia";
export { RunModel } from "./pages/RunModel";
export { SweepPage } from "./pages/Sweep";
