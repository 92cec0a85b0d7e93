// The machine, the interpreter and the variables under which a run was started.

public import OrderedCollections

/// What was captured of a run's surroundings, checked, without secrets.
public struct RunEnvironment: Sendable, Hashable {
  /// Bytes of its JSON.
  public static let largest = 1 << 20
  /// What every reader of JSON takes exactly: 2^53.
  static let largestNumber: Int64 = 1 << 53
  /// Bytes of a variable's value that are kept.
  public static let longestValue = 4_096

  /// As the API shows it; members that nobody captured are absent.
  public private(set) var members: JSONObject

  public init() { members = [:] }

  /// Reads what a client captured; secrets are left out (`Secrets`), whatever the client did.
  ///
  /// - Throws: `JSONMemberError` for what is unknown, of the wrong kind or too large.
  public init(json: JSONValue, path: String) throws(JSONMemberError) {
    // Before anything is looked for in it.
    try Self.checkSize(json: json, path)
    let reader = try JSONReader(json, path: path)
    try reader.allowOnly([
      "os", "kernel", "cpu", "memory_bytes", "cgroup_memory_bytes", "gpus", "python", "argv", "cwd",
      "variables",
    ])
    members = [:]
    for key in ["os", "kernel"] { members[key] = try Self.text(reader, key) }
    if let value = reader.value("cpu") { members["cpu"] = try Self.cpu(value, reader.keyPath("cpu")) }
    for key in ["memory_bytes", "cgroup_memory_bytes"] { members[key] = try Self.count(reader, key) }
    if let gpus = try reader.array("gpus") { members["gpus"] = try Self.gpus(gpus, reader.keyPath("gpus")) }
    if let value = reader.value("python") {
      let python = try JSONReader(value, path: reader.keyPath("python"))
      try python.allowOnly(["version", "executable"])
      members["python"] = Self.present([
        "version": try Self.text(python, "version"), "executable": try Self.text(python, "executable"),
      ])
    }
    if let argv = try reader.strings("argv") { members["argv"] = JSONValue(Secrets.masked(argv)) }
    members["cwd"] = try Self.text(reader, "cwd")
    if let variables = try reader.object("variables") {
      members["variables"] = .object(try Self.variables(variables, reader.keyPath("variables")))
    }
  }

  /// What this machine captured; `variables` and `argv` lose their secrets here too.
  public init(
    os: String?, kernel: String?, cpu: JSONObject, memory: Int64?, cgroupMemory: Int64?,
    gpus: [JSONValue], python: JSONObject?, argv: [String]?, cwd: String, variables: JSONObject
  ) {
    let all: JSONObject = [
      "os": JSONValue(os), "kernel": JSONValue(kernel), "cpu": .object(cpu),
      "memory_bytes": JSONValue(memory),
      "cgroup_memory_bytes": JSONValue(cgroupMemory), "gpus": .array(gpus),
      "python": python.map(JSONValue.object) ?? .null, "argv": JSONValue(argv.map(Secrets.masked)),
      "cwd": .string(cwd), "variables": .object(Self.withoutSecrets(variables)),
    ]
    members = all.filter { !$0.value.isNull }
  }

  /// What this store wrote itself.
  public init(stored: JSONValue) { members = stored.object ?? [:] }

  public var json: JSONValue { .object(members) }

  /// The members of `newer` in the place of these; those that only this one has stay.
  public func merging(_ newer: RunEnvironment) -> RunEnvironment {
    RunEnvironment(stored: json.merging(newer.json))
  }

  /// The machine in few words: "2 × NVIDIA A100 · AMD EPYC 7B13, 64 threads · 256 GB"; nil: nothing is known of it.
  public var hardware: String? {
    var words: [String] = []
    var counts: JSONObject = [:]
    for gpu in members["gpus"]?.array ?? [] {
      let name = gpu["name"]?.string ?? "GPU"
      counts[name] = .int((counts[name]?.int ?? 0) + 1)
    }
    words += counts.map { name, count in count == 1 ? name : "\(count.text) × \(name)" }
    let model = members["cpu"]?["model"]?.string
    let threads = (members["cpu"]?["threads"] ?? members["cpu"]?["cores"])?.int
    switch (model, threads) {
    case (let model?, let threads?): words.append("\(model), \(threads) threads")
    case (let model?, nil): words.append(model)
    case (nil, let threads?): words.append("\(threads) threads")
    case (nil, nil): break
    }
    let memory = members["memory_bytes"]?.int
    let allowed = members["cgroup_memory_bytes"]?.int
    if let bytes = [memory, allowed].compactMap(\.self).min() {
      words.append("\(bytes / 1_000_000_000 + (bytes % 1_000_000_000 >= 500_000_000 ? 1 : 0)) GB")
    }
    return words.isEmpty ? nil : words.joined(separator: " · ")
  }

  // MARK: - Members

  private static func present(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
    .object(
      JSONObject(members.compactMap { key, value in value.map { (key, $0) } }, uniquingKeysWith: { $1 }))
  }

  private static func text(_ reader: JSONReader, _ key: String) throws(JSONMemberError) -> JSONValue? {
    try reader.string(key).map(JSONValue.string)
  }

  private static func count(_ reader: JSONReader, _ key: String) throws(JSONMemberError) -> JSONValue? {
    guard let count = try reader.int(key) else { return nil }
    guard (0...largestNumber).contains(count) else {
      throw JSONMemberError(
        key: reader.keyPath(key), message: "must be 0 to \(largestNumber), not \(count)")
    }
    return .int(count)
  }

  private static func cpu(_ json: JSONValue, _ path: String) throws(JSONMemberError) -> JSONValue {
    let reader = try JSONReader(json, path: path)
    try reader.allowOnly(["model", "cores", "threads"])
    return present([
      "model": try text(reader, "model"), "cores": try count(reader, "cores"),
      "threads": try count(reader, "threads"),
    ])
  }

  private static func gpus(_ items: [JSONValue], _ path: String) throws(JSONMemberError) -> JSONValue {
    var gpus: [JSONValue] = []
    for (index, item) in items.enumerated() {
      let reader = try JSONReader(item, path: "\(path)[\(index)]")
      try reader.allowOnly(["name", "memory_bytes", "driver"])
      gpus.append(
        present([
          "name": try text(reader, "name"), "memory_bytes": try count(reader, "memory_bytes"),
          "driver": try text(reader, "driver"),
        ]))
    }
    return .array(gpus)
  }

  private static func variables(_ given: JSONObject, _ path: String) throws(JSONMemberError) -> JSONObject {
    for (name, value) in given where value.string == nil {
      throw JSONMemberError(key: "\(path).\(name)", message: "must be a string, not \(value.kindInWords)")
    }
    return withoutSecrets(given)
  }

  /// By name; what is longer than `longestValue` is cut.
  private static func withoutSecrets(_ given: JSONObject) -> JSONObject {
    var kept: JSONObject = [:]
    for name in given.keys.sorted() {
      // Of a long value only the beginning is kept, so only that is looked at, and as much again: a secret may lie
      // across the cut.
      guard let value = given[name]?.string,
        !Secrets.isSecret(
          name: name, value: String(decoding: value.utf8.prefix(2 * longestValue), as: UTF8.self))
      else { continue }
      kept[name] =
        value.utf8.count <= longestValue
        ? .string(value) : .string(String(decoding: value.utf8.prefix(longestValue), as: UTF8.self) + "…")
    }
    return kept
  }

  private static func checkSize(json: JSONValue, _ path: String) throws(JSONMemberError) {
    let size = json.text.utf8.count
    guard size <= largest else {
      throw JSONMemberError(key: path, message: "has \(size) bytes; \(largest) are allowed")
    }
  }
}
