// Requests to /api/v1: the token for those that change something, the cluster, and errors as one class.

/** An answer that is an error, or none at all (status 0: the server of this page is away). */
export class ApiError extends Error {
  constructor(status, document) {
    super(document.message ?? `The server answered with status ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.word = document.error ?? "Error";
    this.hint = document.hint ?? null;
    this.path = document.path ?? null;
    this.document = document;
  }

  /** Whether the ensemble, or the page's own server, cannot be reached: the same request may work again. */
  get isAway() {
    return this.status === 0 || this.status === 503;
  }
}

export class Api {
  constructor() {
    /** The cluster in the page's address (`/?cluster=NAME`); null for the one that the server was started for. */
    this.cluster = new URLSearchParams(location.search).get("cluster");
    this.token = null;
    /** Settled when the first answer of GET /session was there: what changes something waits for its token. */
    this.ready = new Promise((resolve) => { this.isReady = resolve; });
    /** Asked for the name of a protected cluster, which confirms a change of it; null gives the change up. */
    this.onProtected = async () => null;
    this.early = new Map();  // address → the answer that was asked for ahead
    this.confirmations = new Map();  // cluster → until when its name counts as typed
    /** The ids of the jobs that this tab has started. */
    this.startedJobs = new Set();
    /** Called when an answer says that a login is needed. */
    this.onLoginNeeded = () => {};
    /** Called when the page's own server does not answer at all. */
    this.onAway = () => {};
  }

  /** The address of an endpoint with its parameters: for links, event streams and downloads too. */
  address(endpoint, parameters = {}) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== null && value !== undefined) query.set(name, value === true ? "1" : value === false ? "0" : value);
    }
    if (this.cluster !== null) query.set("cluster", this.cluster);
    const text = query.toString();
    return `/api/v1${endpoint}${text ? `?${text}` : ""}`;
  }

  /** GET; `options.signal` gives it up. */
  get(endpoint, parameters, options) {
    const ask = () => this.request("GET", endpoint, parameters, undefined, options);
    const address = this.address(endpoint, parameters);
    const answer = this.early.get(address);
    this.early.delete(address);
    return answer ? answer.catch(ask) : ask();
  }

  /**
   * Sends a GET whose answer is for the next `get` of it, until `forgetEarly`. Settles, without a value, with it.
   *
   * The browser may have asked already, because the answer with the page told it to: only a request that does not
   * refuse every cache is given that answer.
   */
  askAhead(endpoint, parameters) {
    const answer = this.send("GET", endpoint, parameters, undefined, { cache: "default" }, []);
    this.early.set(this.address(endpoint, parameters), answer);
    return answer.then(() => {}, () => {});
  }

  forgetEarly() {
    this.early.clear();
  }

  /** POST of a JSON body (or of a Blob, sent as it is). */
  post(endpoint, body = {}, parameters, options) {
    return this.request("POST", endpoint, parameters, body, options);
  }

  put(endpoint, body, parameters, options) {
    return this.request("PUT", endpoint, parameters, body, options);
  }

  delete(endpoint, parameters, options) {
    return this.request("DELETE", endpoint, parameters, undefined, options);
  }

  async request(method, endpoint, parameters, body, options = {}, confirmed = this.confirmed()) {
    try {
      return await this.send(method, endpoint, parameters, body, options, confirmed);
    } catch (error) {
      if (error.status === 403 && method !== "GET" && await this.hasNewToken()) {
        return this.send(method, endpoint, parameters, body, options, confirmed);
      }
      const name = error.word === "Protected" ? error.message.match(/cluster (.+) is protected/)?.[1] ?? this.cluster : null;
      if (name === null || confirmed.includes(name) || !await this.onProtected(name)) throw error;
      return this.request(method, endpoint, parameters, body, options, [...confirmed, name]);
    }
  }

  // A server that was started anew has another token.
  async hasNewToken() {
    const before = this.token;
    const session = await this.get("/session").catch(() => null);
    if (!session?.token || session.token === before) return false;
    this.token = session.token;
    return true;
  }

  confirmed() {
    return [...this.confirmations].filter(([, until]) => until > Date.now()).map(([name]) => name);
  }

  async send(method, endpoint, parameters, body, options, confirmed) {
    if (method !== "GET" && this.token === null) await this.ready;
    const headers = { Accept: "application/json" };
    if (method !== "GET" && this.token !== null) headers["X-Zkcli-Token"] = this.token;
    if (method !== "GET" && confirmed.length > 0) headers["X-Zkcli-Confirm"] = confirmed.join(", ");
    let content;
    if (body instanceof Blob) {
      content = body;
      headers["Content-Type"] = options.contentType ?? (body.type || "application/octet-stream");
    } else if (body !== undefined) {
      content = JSON.stringify(body);
      headers["Content-Type"] = "application/json";
    }
    let response;
    try {
      response = await fetch(this.address(endpoint, parameters), {
        method, headers, body: content, signal: options.signal, credentials: "same-origin",
        cache: options.cache ?? "no-store",
      });
    } catch (error) {
      throw this.broken(error);
    }
    return this.answer(response);
  }

  /** What became of a request without a whole answer: it was given up, or the server is away. */
  broken(error) {
    if (error.name === "AbortError") return error;
    this.onAway();
    return new ApiError(0, { error: "ConnectionLoss", message: "The server of this page does not answer." });
  }

  async answer(response) {
    let text;
    try {
      text = await response.text();
    } catch (error) {
      throw this.broken(error);
    }
    let document = null;
    try {
      document = text === "" ? {} : JSON.parse(text);
    } catch { /* Handled below: an answer that is not JSON is an error whatever its status is. */ }
    if (response.ok && document !== null) {
      if (document.job) this.startedJobs.add(document.job.id);
      return document;
    }
    const error = new ApiError(response.status, document ?? { message: text.slice(0, 200) || undefined });
    if (response.status === 401) this.onLoginNeeded(error);
    throw error;
  }
}
