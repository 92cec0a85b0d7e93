// What must not be kept of an environment: the one list of rules, which the Python client mirrors (docs/security.md).

/// Tells secrets among variables and arguments by their names and by how they look.
///
/// It leaves out too much rather than too little. `Tests/Fixtures/secrets.json` holds examples for both languages.
public enum Secrets {
  /// What stands for something that was left out of a command line.
  public static let mask = "***"

  // MARK: - Names

  /// A name that holds one of these, in any case, names a secret.
  static let parts = [
    "TOKEN", "SECRET", "PASSW", "PASSPHRASE", "KEY", "CREDENTIAL", "AUTH", "COOKIE", "PRIVATE", "SIGNATURE",
    "CONNECTION_STRING",
  ]
  /// A name one of whose words is one of these names a secret; `PWD` alone is the working directory.
  static let words: Set<String> = ["PASS", "PWD", "PW", "CREDS", "DSN", "SAS", "JWT"]
  /// These hold one of `parts` and are harmless: TOKENIZERS_PARALLELISM.
  static let harmless = ["TOKENIZ", "KEYBOARD"]

  /// Whether an environment variable of this name is a secret whatever it holds.
  public static func isSecret(name: String) -> Bool {
    var upper = name.uppercased()
    if upper == "PWD" { return false }
    for part in harmless { upper = upper.replacing(part, with: "") }
    return parts.contains { upper.contains($0) } || !words.isDisjoint(with: Self.words(of: upper))
  }

  /// Letters and digits between whatever else stands in a name.
  private static func words(of upper: String) -> [String] {
    upper.split { !$0.isLetter && !$0.isNumber }.map(String.init)
  }

  // MARK: - Values

  /// Beginnings of keys that are given out by well-known services.
  static let prefixes = [
    "sk-", "sk_", "pk_", "rk_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "hf_",
    "xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-", "xapp-", "AKIA", "ASIA", "AIza", "ya29.", "npm_", "pypi-",
    "dop_v1_", "SG.", "dapi", "nvapi-", "r8_", "gsk_", "wandb_v1_",
  ]
  /// What stands before a secret inside of an address or a list of settings, in any case.
  static let assignments = [
    "password=", "passwd=", "pwd=", "token=", "secret=", "accountkey=", "accesskey=", "apikey=",
    "signature=", "sig=",
  ]
  /// Long hexadecimal numbers under a name with one of these words are no keys: commits, digests, ids.
  static let identifiers: Set<String> = [
    "COMMIT", "SHA", "SHA1", "SHA256", "REVISION", "REF", "DIGEST", "HASH", "CHECKSUM", "ID", "UUID",
  ]

  /// Whether a value looks like a secret, whatever it is called: an address with credentials, a private key, a key of a
  /// known service, a JSON web token.
  public static func isSecret(value: String) -> Bool {
    if value.contains("-----BEGIN ") || hasCredentials(value) { return true }
    let lower = value.lowercased().filter { $0 != "-" && $0 != "_" }
    if assignments.contains(where: { lower.contains($0) }) { return true }
    return pieces(of: value).contains { piece in
      isKeyOfKnownService(piece) || isWebToken(piece)
    }
  }

  /// Whether a variable is to be left out.
  public static func isSecret(name: String, value: String) -> Bool {
    if isSecret(name: name) || isSecret(value: value) { return true }
    guard identifiers.isDisjoint(with: words(of: name.uppercased())) else { return false }
    return pieces(of: value).contains { isHexadecimalKey($0) || isRandomText($0) }
  }

  /// `scheme://user:password@host`, `scheme://token@host`.
  private static func hasCredentials(_ value: String) -> Bool {
    var rest = value[...]
    while let mark = rest.firstRange(of: "://") {
      rest = rest[mark.upperBound...]
      let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" && !$0.isWhitespace }
      if authority.contains("@") { return true }
    }
    return false
  }

  private static func pieces(of value: String) -> [Substring] {
    value.split { $0.isWhitespace || ",;:=\"'()[]{}<>|&".contains($0) }
  }

  private static func isKeyOfKnownService(_ piece: Substring) -> Bool {
    prefixes.contains { prefix in
      piece.hasPrefix(prefix) && piece.utf8.count >= prefix.utf8.count + 12
        && piece.dropFirst(prefix.count).utf8.allSatisfy(isTokenByte) && piece.contains(where: \.isNumber)
    }
  }

  /// RFC 7519: three parts, of which the first is a JSON object in base64url.
  private static func isWebToken(_ piece: Substring) -> Bool {
    piece.hasPrefix("eyJ") && piece.utf8.count >= 40 && piece.count(where: { $0 == "." }) == 2
  }

  /// 32 digits and more, as of keys of 128 bits and more.
  private static func isHexadecimalKey(_ piece: Substring) -> Bool {
    piece.utf8.count >= 32 && piece.utf8.allSatisfy(isHexadecimal)
      && piece.utf8.contains { !(0x30...0x39).contains($0) }
  }

  /// Base64 without a path in it: capitals, small letters and digits in one piece of 24 and more.
  private static func isRandomText(_ piece: Substring) -> Bool {
    piece.utf8.count >= 24 && piece.utf8.allSatisfy { isTokenByte($0) && $0 != UInt8(ascii: ".") }
      && piece.utf8.contains { (0x41...0x5A).contains($0) }
      && piece.utf8.contains { (0x61...0x7A).contains($0) }
      && piece.utf8.count { (0x30...0x39).contains($0) } >= 3
  }

  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
    default: false
    }
  }

  // MARK: - Command lines

  /// The last word of an option whose value is a secret. Narrower than for variables: `--max-tokens 100` is none.
  static let optionWords: Set<String> = [
    "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "PWD", "APIKEY", "CREDENTIAL",
    "CREDENTIALS",
    "AUTH", "AUTHORIZATION", "COOKIE",
  ]
  /// The word before a last word KEY that makes a secret of it.
  static let keyWords: Set<String> = [
    "API", "ACCESS", "SECRET", "PRIVATE", "SIGNING", "ENCRYPTION", "ACCOUNT",
  ]

  /// A command line with `mask` for each value that is a secret: `--api-key=…`, `--token …`, `password=…`, and whatever
  /// looks like one.
  public static func masked(_ arguments: [String]) -> [String] {
    var kept: [String] = []
    var isNextSecret = false
    /// What stands before, where that is an option without its value.
    var option: String?
    for argument in arguments {
      let isOption = argument.hasPrefix("-")
      if let option, !isOption, isKey(argument, of: option) { isNextSecret = true }
      // A secret may begin with a dash of its own; behind two of them another option stands.
      if isNextSecret, !argument.hasPrefix("--"), isMaskable(argument, of: option ?? "") {
        kept.append(mask)
        (isNextSecret, option) = (false, nil)
        continue
      }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      option = isOption && parts.count == 1 ? argument : nil
      isNextSecret = option.map(isSecretOption) ?? false
      // The query of an address has its own '='.
      guard parts.count == 2, !parts[0].contains("://") else {
        kept.append(isSecret(value: argument) ? mask : argument)
        continue
      }
      let (name, value) = (String(parts[0]), String(parts[1]))
      let isLeftOut =
        isSecretOption(name) && isMaskable(value, of: name) || isKey(value, of: name)
        || isSecret(value: value)
      kept.append(isLeftOut ? "\(name)=\(mask)" : argument)
    }
    return kept
  }

  /// `--wandb-key` and 40 hexadecimal digits: of any key, where it looks like one.
  private static func isKey(_ value: String, of option: String) -> Bool {
    guard optionWords(of: option).last == "KEY" else { return false }
    return pieces(of: value).contains { isHexadecimalKey($0) || isRandomText($0) }
  }

  /// Its words in capitals; `authToken` has two.
  private static func optionWords(of name: String) -> [String] {
    var spaced = ""
    var wasSmall = false
    for character in name {
      if wasSmall, character.isUppercase { spaced.append("_") }
      spaced.append(character)
      wasSmall = character.isLowercase || character.isNumber
    }
    return words(of: spaced.uppercased())
  }

  private static func isSecretOption(_ name: String) -> Bool {
    let words = optionWords(of: name)
    guard let last = words.last else { return false }
    return optionWords.contains(last)
      || last == "KEY" && words.count > 1 && keyWords.contains(words[words.count - 2])
  }

  /// Words of a vocabulary like `<eos>` and `[PAD]` are no secrets; nor are numbers of tokens, or which token. A password
  /// may be a number.
  private static func isMaskable(_ value: String, of option: String) -> Bool {
    guard !value.isEmpty, !value.hasPrefix("<"), !value.hasPrefix("[") else { return false }
    return Double(value) == nil || optionWords(of: option).last != "TOKEN"
  }

  // MARK: - Addresses

  /// `https://user:secret@host/path` without user and secret.
  public static func withoutCredentials(_ url: String) -> String {
    guard let scheme = url.firstRange(of: "://") else { return url }
    // A secret may hold an @ of its own: the last one before the path counts.
    let authority = url[scheme.upperBound...].prefix { $0 != "/" }
    guard let at = authority.lastIndex(of: "@") else { return url }
    return String(url[..<scheme.upperBound]) + url[url.index(after: at)...]
  }
}
