// The colours and the font of the charts, for light and dark pages.

export interface Colours {
  background: string;
  text: string;
  quiet: string;
  line: string;
  awaiting: string;
  blocking: string;
  peer: string;
}

export const LIGHT: Colours = {
  background: "#ffffff",
  text: "#1f2328",
  quiet: "#59636e",
  line: "#e4e8ec",
  awaiting: "#1f6feb",
  blocking: "#d4872a",
  peer: "#8c959f",
};
export const DARK: Colours = {
  background: "#0d1117",
  text: "#f0f6fc",
  quiet: "#9198a1",
  line: "#262c34",
  awaiting: "#4493f8",
  blocking: "#e3a04c",
  peer: "#6e7681",
};

export const FONT = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif";
