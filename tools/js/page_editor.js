/* What exercises on the page write into. `npm run page-editor` makes _vendor/prism-code-editor/page-editor.js of it. */
import { createEditor } from "prism-code-editor";
import { defaultCommands, editHistory, setIgnoreTab } from "prism-code-editor/commands";
import layout from "prism-code-editor/layout.css";
import "prism-code-editor/languages/python";
import "prism-code-editor/prism/languages/python";

window.livePage.take("page-editor", { createEditor, defaultCommands, editHistory, setIgnoreTab, layout });
