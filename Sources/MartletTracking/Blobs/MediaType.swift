// What a file is by its first bytes.

/// Kinds of media that a browser may show by itself, since nothing in them runs.
package enum MediaType {
  /// How many bytes `sniff` wants to see.
  package static let prefix = 64

  /// The media type that `head`, a file's first bytes, says; nil for all that is not one of these pictures, sounds
  /// and films.
  ///
  /// Signatures after the WHATWG's MIME Sniffing standard, §6.
  package static func sniff(_ head: [UInt8]) -> String? {
    func has(_ signature: [UInt8], at offset: Int = 0) -> Bool {
      head.dropFirst(offset).starts(with: signature)
    }
    func has(_ text: StaticString, at offset: Int = 0) -> Bool {
      has(text.withUTF8Buffer { Array($0) }, at: offset)
    }
    if has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return "image/png" }
    if has([0xFF, 0xD8, 0xFF]) { return "image/jpeg" }
    if has("GIF87a") || has("GIF89a") { return "image/gif" }
    if has("RIFF") {
      return has("WEBP", at: 8) ? "image/webp" : has("WAVE", at: 8) ? "audio/wav" : nil
    }
    if has("ftyp", at: 4) {
      return has("avif", at: 8) ? "image/avif" : has("M4A ", at: 8) ? "audio/mp4" : "video/mp4"
    }
    if has([0x1A, 0x45, 0xDF, 0xA3]) {
      // EBML: Matroska says so in the same place.
      return head.indices.contains { has("webm", at: $0) } ? "video/webm" : nil
    }
    if has("OggS") { return "audio/ogg" }
    if has("fLaC") { return "audio/flac" }
    if has("ID3") || (head.count > 1 && head[0] == 0xFF && [0xFB, 0xF3, 0xF2].contains(head[1])) {
      return "audio/mpeg"
    }
    return nil
  }
}
