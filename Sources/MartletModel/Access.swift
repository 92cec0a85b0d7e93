// Who asks, and what they may do.

/// What a token allows; `admin` holds all, `run` holds `write`, `write` holds `read` and `ingest`.
public enum Scope: String, Sendable, CaseIterable {
  case read, ingest, write, run, admin

  /// The scopes that this one brings with it, itself included.
  public var held: Set<Scope> {
    switch self {
    case .read: [.read]
    case .ingest: [.ingest]
    case .write: [.write, .read, .ingest]
    case .run: [.run, .write, .read, .ingest]
    case .admin: Set(Scope.allCases)
    }
  }
}

/// Whoever does something: kept with all that is created, changed or stopped.
public struct Principal: Sendable, Hashable {
  public enum Kind: String, Sendable {
    /// The account that the server runs under.
    case local
    /// Whoever holds a named token.
    case token
    /// The process of an attempt.
    case attempt
    /// The server itself.
    case system
  }

  /// Row id in the store.
  public var row: Int64
  public var kind: Kind
  public var name: String

  public init(row: Int64, kind: Kind, name: String) {
    self.row = row
    self.kind = kind
    self.name = name
  }
}

/// What a request may do: found from its token.
public struct Access: Sendable, Hashable {
  public var principal: Principal
  /// Nil for the open loopback and for the server itself.
  public var token: PublicID?
  /// Closed under `Scope.held`.
  public var scopes: Set<Scope>
  /// The only project it may see, by name; nil: all.
  public var project: String?
  /// The only run it may see; nil: all.
  public var run: PublicID?

  public init(
    principal: Principal, token: PublicID?, scopes: Set<Scope>, project: String? = nil, run: PublicID? = nil
  ) {
    self.principal = principal
    self.token = token
    self.scopes = Set(scopes.flatMap(\.held))
    self.project = project
    self.run = run
  }
}
