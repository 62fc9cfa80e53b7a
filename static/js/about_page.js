/** The About page: only the theme moves. */

import { byId } from "./common/page.js";
import { attachTheme } from "./common/theme.js";

attachTheme(byId("theme"));
