// How many colours lines have; the colours themselves are the tokens --line-0 … of styles/tokens.css.

/** How many colours there are before dashes tell lines apart. */
export const COLOURS = 8;
