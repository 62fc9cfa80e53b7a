// A classic script in the head, so that the chosen theme and colours are there before anything is painted.
try {
  const root = document.documentElement.dataset;
  const theme = localStorage.getItem("tickstock.theme");
  if (theme === "light" || theme === "dark") root.theme = theme;
  if (localStorage.getItem("tickstock.palette") === "classic") root.palette = "classic";
  if (localStorage.getItem("tickstock.keys") === "false") root.keys = "off";
} catch {
  // Storage is switched off: the defaults it is.
}
