/** The page's one animation loop. A hidden tab draws nothing; what arrives meanwhile waits in the store. */

/**
 * Call every drawing function once per frame, with the browser's time.
 * @param {Array<(now: number) => void>} drawings
 */
export function startFrameLoop(drawings) {
  const frame = () => {
    const now = Date.now();
    for (const draw of drawings) {
      try {
        draw(now);
      } catch (problem) {
        console.error(problem); // one broken panel must not stop the others
      }
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
