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
      return 'the port is in use, perhaps by another worker: stop that one, or take another with --http HOST:PORT or http.port of the bundle (0 is a free one)';
    case 'EACCES':
      return 'ports below 1024 need more rights: take a higher one with --http HOST:PORT or http.port of the bundle';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: take another, for example 127.0.0.1, with --http HOST:PORT or http.host of the bundle`;
    default:
      return cause.message;
  }
}
