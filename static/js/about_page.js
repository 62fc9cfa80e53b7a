/** The About page: only the theme moves. */

import { byId } from "./page.js";
import { attachTheme } from "./theme.js";

attachTheme(byId("theme"));
