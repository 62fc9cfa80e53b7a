/** The connection to the server. */

import { io } from "../../vendor/socket.io.esm.min.js";
import { takeMessages } from "./incoming.js";

/** @import { Socket } from "../../vendor/socket.io.esm.min.js" */
/** @import { Store } from "./store.js" */

/**
 * @typedef {object} Link  what the page says to the server
 * @property {(list: string) => void} watch  another watchlist
 * @property {(symbol: string | null) => void} chart  the symbol whose running minute is wanted
 */

/**
 * Connect, and stay connected; a new connection begins with the choices of the moment.
 * @param {Store} store
 * @param {{list: string | null, chart: string | null}} wanted
 * @returns {Link}
 */
export function connect(store, wanted) {
  const socket = io({
    transports: ["websocket", "polling"],
    reconnectionDelay: 300,
    reconnectionDelayMax: 2000,
    auth: (/** @type {(choices: object) => void} */ say) => say(wanted),
  });
  followLink(socket, store);
  takeMessages(socket, store, wanted);
  return {
    watch: (list) => {
      wanted.list = list;
      if (socket.connected) socket.emit("watch", { list });
    },
    chart: (symbol) => {
      if (symbol === wanted.chart) return;
      wanted.chart = symbol;
      store.formingBar = null;
      if (socket.connected) socket.emit("chart", symbol);
    },
  };
}

/**
 * Tell the store of the link, and the server whether anybody looks.
 * @param {Socket} socket
 * @param {Store} store
 */
function followLink(socket, store) {
  socket.on("connect", () => {
    store.setLink("snapshot");
    if (document.hidden) socket.emit("visible", false);
  });
  socket.on("disconnect", () => store.setLink("lost"));
  socket.on("connect_error", () => {
    if (store.link === "live") store.setLink("lost");
  });
  document.addEventListener("visibilitychange", () => {
    store.heardAt(); // nothing but events came while hidden, as was asked for
    if (socket.connected) socket.emit("visible", !document.hidden);
  });
}
