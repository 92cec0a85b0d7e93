// A token as lists show it: never its secret.

/// A token without its secret, which is stored only as a hash.
public struct TokenRecord: Sendable, Hashable {
  public var id: PublicID
  public var name: String
  public var principal: String
  public var scopes: [Scope]
  public var project: String?
  public var run: PublicID?
  public var createdAt: Timestamp
  public var createdBy: String
  public var expiresAt: Timestamp?
  public var revokedAt: Timestamp?
  public var lastUsedAt: Timestamp?

  public init(
    id: PublicID, name: String, principal: String, scopes: [Scope], project: String?, run: PublicID?,
    createdAt: Timestamp, createdBy: String, expiresAt: Timestamp?, revokedAt: Timestamp?,
    lastUsedAt: Timestamp?
  ) {
    self.id = id
    self.name = name
    self.principal = principal
    self.scopes = scopes
    self.project = project
    self.run = run
    self.createdAt = createdAt
    self.createdBy = createdBy
    self.expiresAt = expiresAt
    self.revokedAt = revokedAt
    self.lastUsedAt = lastUsedAt
  }

  public var json: JSONValue {
    [
      "id": .string(id.rawValue), "name": .string(name), "principal": .string(principal),
      "scopes": JSONValue(scopes.map(\.rawValue)), "project": JSONValue(project),
      "created_at": JSONValue(createdAt), "created_by": .string(createdBy),
      "expires_at": JSONValue(expiresAt),
      "revoked_at": JSONValue(revokedAt), "last_used_at": JSONValue(lastUsedAt),
    ]
  }
}
