// --url, --token, --data: which server a command talks to.

import ArgumentParser

/// The options that every command takes which asks a server.
struct ConnectionOptions: ParsableArguments {
  @Option(
    name: .long, help: "The server's address. (default: MARTLET_URL, or the server of the data directory)")
  var url: String?

  @Option(name: .long, help: "The token to show. (default: MARTLET_TOKEN, or the data directory's)")
  var token: String?

  @Option(
    name: .long,
    help: "The data directory whose server and token are used. (default: MARTLET_DATA, or ~/.martlet)")
  var data: String?

  /// Where the server should be; does not ask whether it is up.
  func place() throws -> ServerPlace {
    try ServerPlace(url: url, token: token, data: data, environment: CallerEnvironment.current)
  }

  /// A client of the server that is up.
  ///
  /// - Throws: `Failure` with `unavailable` when none is.
  func client() throws -> Client {
    let place = try place()
    guard let client = try place.client() else { throw place.nothingUp }
    return client
  }
}
