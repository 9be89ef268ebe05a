// Boxes, outlines, points and masks on images, and forms on pages: loaded when a page has one of them.
import { CrowdBoundingBox } from "./box";
import { CrowdInstanceSegmentation } from "./instance";
import { CrowdKeypoint } from "./keypoint";
import { CrowdLine, CrowdPolygon, CrowdPolyline } from "./outlines";
import { CrowdSemanticSegmentation } from "./semantic";
import { CrowdTextractAnalyzeDocument } from "./textract";

customElements.define("crowd-bounding-box", CrowdBoundingBox);
customElements.define("crowd-polygon", CrowdPolygon);
customElements.define("crowd-polyline", CrowdPolyline);
customElements.define("crowd-line", CrowdLine);
customElements.define("crowd-keypoint", CrowdKeypoint);
customElements.define("crowd-semantic-segmentation", CrowdSemanticSegmentation);
customElements.define("crowd-instance-segmentation", CrowdInstanceSegmentation);
customElements.define("crowd-textract-analyze-document", CrowdTextractAnalyzeDocument);
