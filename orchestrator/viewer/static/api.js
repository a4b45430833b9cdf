// Asking the server.

export class Refused extends Error {}

const TOKEN = "housemates-token";

export async function get(path, signal) {
  const response = await fetch(path, { signal });
  if (!response.ok) throw new Refused((await response.text()) || response.statusText);
  return response.json();
}

export async function post(path) {
  const headers = { "X-Housemates-Token": sessionStorage.getItem(TOKEN) ?? "" };
  const response = await fetch(path, { method: "POST", headers });
  if (!response.ok) throw new Refused(await response.text());
  return response.json();
}

// The token comes in the fragment, which browsers send nowhere, and is taken out of the address at once.
export function takeToken(parameters) {
  const token = parameters.get("token");
  if (!token) return;
  sessionStorage.setItem(TOKEN, token);
  parameters.delete("token");
}

export const hasToken = () => sessionStorage.getItem(TOKEN) !== null;

export function query(parameters) {
  return new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null)).toString();
}

// A question that is asked again before it is answered is taken back: only the latest answer arrives.
export function latest(ask) {
  let running = null;
  return async (...parameters) => {
    running?.abort();
    const mine = (running = new AbortController());
    try {
      const answer = await ask(mine.signal, ...parameters);
      return running === mine ? answer : undefined;
    } catch (error) {
      if (mine.signal.aborted) return undefined;
      throw error;
    }
  };
}
