// What Hummingbird keeps of one request, with the connection it came over.

import Hummingbird
import NIOCore

struct APIContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }
}

extension Channel {
  /// The other side's address, without its port.
  var remoteName: String { remoteAddress?.ipAddress ?? "?" }
  /// The address of this machine that the connection reached.
  var localName: String? { localAddress?.ipAddress }
  var isFromLoopback: Bool { remoteAddress?.ipAddress.map(isLoopback) ?? false }
}

/// Whether an address, or a name that always means one, is this machine's own loopback.
func isLoopback(_ host: String) -> Bool {
  let host = host.hasPrefix("::ffff:") ? String(host.dropFirst("::ffff:".count)) : host
  if ["localhost", "::1"].contains(host.lowercased()) { return true }
  let parts = host.split(separator: ".", omittingEmptySubsequences: false)
  return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
}
