// A classic script in the head, so that the chosen theme is there before anything is painted.
try {
  const chosen = localStorage.getItem("tickstock.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is switched off: the system's theme it is.
}
