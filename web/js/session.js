/** The instance's token: handed over in the address's fragment or typed in, kept by this tab alone. */

const NAME = "darkroom.token";

/** What stands behind the `#` of the address, which a browser sends to nobody. */
export function fragment() {
  return new URLSearchParams(location.hash.slice(1));
}

/**
 * Take a token out of the address, so that it is in no bookmark and in no history. What another
 * shop left in this tab is forgotten. Returns whether there was one.
 */
export function takeTokenFromAddress() {
  const parts = fragment();
  const given = parts.get("token");
  if (given === null) return false;
  if (given.trim() !== token()) forget();
  keepToken(given.trim());
  parts.delete("token");
  const rest = parts.size ? `#${parts}` : "";
  history.replaceState(null, "", location.pathname + location.search + rest);
  return true;
}

/** The token, or null before somebody has connected. */
export function token() {
  return sessionStorage.getItem(NAME);
}

/** Keep a token for as long as the tab is open. */
export function keepToken(text) {
  sessionStorage.setItem(NAME, text);
}

/** Forget the token and all that was kept beside it. */
export function forget() {
  sessionStorage.clear();
}
