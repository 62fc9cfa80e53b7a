/** Questions to the server's JSON interface; what goes wrong comes back in words. */

/**
 * @param {string} path
 * @param {string} [method]
 * @param {object} [body]
 * @returns {Promise<any>} the answer; or {error, status, parameter} when there is none
 */
export async function ask(path, method = "GET", body) {
  try {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(path, body ? { method, headers, body: JSON.stringify(body) } : { method });
    const answer = await response.json();
    return response.ok ? answer : { error: `The server answered ${response.status}`, ...answer, status: response.status };
  } catch {
    return { error: "TickStock does not answer; try again in a moment" };
  }
}

/**
 * A path with its question, made safe for an address.
 * @param {string} path
 * @param {Record<string, string | number>} parameters
 */
export const address = (path, parameters) => `${path}?${new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]))}`;

/** @param {string} text @param {number} limit */
export const askSymbols = (text, limit) => ask(address("/api/symbols", { search: text, limit }));
