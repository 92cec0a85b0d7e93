// Devices that drivers tell of, before anybody decides which of them are shared out.

/// A GPU, or what counts as one, as its driver tells of it.
package struct FoundDevice: Sendable, Hashable {
  package enum Kind: String, Sendable { case cuda, rocm, mps }

  package var kind: Kind
  /// Its number among all devices of this machine.
  package var index: Int
  /// As its own driver numbers it.
  package var driverIndex: Int
  package var name: String
  /// Empty: not told.
  package var uuid: String
  /// Bytes; nil: not told.
  package var memory: Int64?

  package init(
    kind: Kind, index: Int? = nil, driverIndex: Int, name: String, uuid: String = "", memory: Int64? = nil
  ) {
    self.kind = kind
    self.index = index ?? driverIndex
    self.driverIndex = driverIndex
    self.name = name
    self.uuid = uuid
    self.memory = memory
  }
}

/// What was found on this machine, and what of it this process may share out.
package struct DiscoveredDevices: Sendable, Hashable {
  package var all: [FoundDevice]
  package var chosen: [FoundDevice]
  /// For people.
  package var warnings: [String]

  package init(all: [FoundDevice], chosen: [FoundDevice], warnings: [String] = []) {
    (self.all, self.chosen, self.warnings) = (all, chosen, warnings)
  }
}
