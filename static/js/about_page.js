/** The About page: nothing on it moves. */

import { startPage } from "./common/every_page.js";

startPage();
