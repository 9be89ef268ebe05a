// Boxes, outlines and points on images: loaded when a page has one of them.
import { CrowdBoundingBox } from "./box";
import { CrowdKeypoint } from "./keypoint";
import { CrowdLine, CrowdPolygon, CrowdPolyline } from "./outlines";

customElements.define("crowd-bounding-box", CrowdBoundingBox);
customElements.define("crowd-polygon", CrowdPolygon);
customElements.define("crowd-polyline", CrowdPolyline);
customElements.define("crowd-line", CrowdLine);
customElements.define("crowd-keypoint", CrowdKeypoint);
