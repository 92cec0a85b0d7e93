// What every chart on canvases has: its two canvases, its listeners, its places on the stage and in the list of charts.
import { prepare } from "./ink";
import { type Describable, register } from "./registry";
import { type Drawable, stage } from "./stage";

/** A canvas to draw on, cleared, with its size; no context where there is nothing to draw on. */
interface Sheet {
  context: CanvasRenderingContext2D | null;
  width: number;
  height: number;
}

/** Adds listeners to an element; what takes each away again goes to `ends`. */
export function listener(element: HTMLElement, ends: (() => void)[]) {
  return <K extends keyof HTMLElementEventMap>(name: K, heard: (event: HTMLElementEventMap[K]) => void): void => {
    element.addEventListener(name, heard);
    ends.push(() => element.removeEventListener(name, heard));
  };
}

export class Easel {
  /** How often everything was drawn. */
  draws = 0;
  /** What is to be done when the chart closes. */
  readonly ends: (() => void)[] = [];
  readonly listen: ReturnType<typeof listener>;
  #base = document.createElement("canvas");
  #over = document.createElement("canvas");

  constructor(readonly chart: Drawable & Describable) {
    this.#base.className = "chart-base";
    this.#over.className = "chart-over";
    chart.element.append(this.#base, this.#over);
    this.listen = listener(chart.element, this.ends);
    this.ends.push(register(chart));
    stage.add(chart);
  }

  get visible(): boolean {
    return stage.isVisible(this.chart);
  }

  /** For everything to be drawn anew. */
  base(): Sheet {
    this.draws++;
    return this.#sheet(this.#base);
  }

  /** For what follows the pointer. */
  over(): Sheet {
    return this.#sheet(this.#over);
  }

  #sheet(canvas: HTMLCanvasElement): Sheet {
    const { clientWidth: width, clientHeight: height } = this.chart.element;
    return { context: prepare(canvas, width, height), width, height };
  }

  close(): void {
    for (const end of this.ends) end();
    stage.remove(this.chart);
    this.#base.remove();
    this.#over.remove();
  }
}
