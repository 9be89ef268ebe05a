// crowd-keypoint: single points.
import { nothing, svg } from "overread-kit";
import { asPoint } from "./geometry";
import { asRecords, type Kind, type Outline } from "./shapes";
import { ShapeTool } from "./tool";

const KEYPOINT: Kind = {
  word: "point",
  many: "points",
  fewest: 1,
  most: 1,
  isDragged: false,
  isFilled: true,
  read: (value) =>
    asRecords(value).flatMap((item) => {
      const point = asPoint(item);
      return point === null ? [] : [{ label: String(item["label"] ?? ""), points: [point] }];
    }),
  write: (shapes) => ({
    keypoints: shapes.flatMap(({ label, points }) => points.map(({ x, y }) => ({ label, x, y }))),
  }),
  draw: (points, classes, id) => {
    const { x = 0, y = 0 } = points[0] ?? {};
    return svg`<circle data-shape=${id ?? nothing} class=${`${classes} dot`} cx=${x} cy=${y}></circle>`;
  },
  handles: () => [],
  reshape: (points) => points,
  without: (points) => points,
};

export class CrowdKeypoint extends ShapeTool {
  protected override readonly kind = KEYPOINT;

  /** A point whose label the element does not have is not drawn. */
  protected override readable(outlines: Outline[]): Outline[] {
    return outlines.filter((outline) => this.labels.includes(outline.label));
  }
}
