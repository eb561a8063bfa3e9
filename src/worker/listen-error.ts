/** The address to listen at cannot be had; the message says which, why, and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly host: string;
  readonly port: number;

  constructor(host: string, port: number, cause: Error & { readonly code?: string }) {
    super(`http: cannot listen at ${host} port ${port}: ${remedyOf(cause, host)}`, { cause });
    this.host = host;
    this.port = port;
  }
}

function remedyOf(cause: Error & { readonly code?: string }, host: string): string {
  switch (cause.code) {
    case 'EADDRINUSE':
      return 'the port is in use, perhaps by another worker: stop that one, or set http.port to another port (0 takes a free one)';
    case 'EACCES':
      return 'ports below 1024 need more rights: set http.port to a higher one';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: set http.host, for example to 127.0.0.1`;
    default:
      return cause.message;
  }
}
