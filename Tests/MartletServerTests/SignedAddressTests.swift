// Addresses that open one file: what is signed, what is not taken.

import CDispatch  // where the module map puts struct stat
import Foundation
import Glibc
import MartletModel
import MartletTestSupport
import MartletTracking
import Testing

@testable import MartletServer

@Suite struct SignedAddressTests {
  private let now = Timestamp(microseconds: 1_790_000_000_000_000)

  private func address(name: String? = "ü.csv", type: String? = "text/csv") throws -> SignedAddress {
    SignedAddress(
      hash: try #require(ContentHash(bytes: (0..<32).map { UInt8($0 * 7 + 1) })),
      run: try #require(PublicID(rawValue: "abcd1234")), expiresAt: now + 300, name: name, type: type)
  }

  /// RFC 4231, test cases 1 to 4, 6 and 7.
  @Test(arguments: [
    (
      [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    ),
    (
      Array(1...25), [UInt8](repeating: 0xCD, count: 50),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
    ),
    (
      [UInt8](repeating: 0xAA, count: 131),
      Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
    (
      [UInt8](repeating: 0xAA, count: 131),
      Array(
        "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm."
          .utf8), "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    ),
  ]) func `the code of a message is HMAC-SHA256`(key: [UInt8], message: [UInt8], code: String) {
    #expect(hexadecimal(hmacSHA256(key: key, message)) == code)
  }

  @Test(arguments: [
    ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("\u{3FF}\u{FF}?", "z7_Dvz8"),
  ])
  func `base64url is RFC 4648's, without padding, and has one text a meaning`(plain: String, text: String) {
    #expect(base64URL(Array(plain.utf8)) == text)
    #expect(bytes(base64URL: text[...]) == Array(plain.utf8))
    for wrong in ["Zh", "Z", "Zg==", "Zm+v", "Zm/v", "Zm9v ", "é"] {
      #expect(bytes(base64URL: wrong[...]) == nil)
    }
  }

  @Test func `what was signed comes back, for as long as it is good`() throws {
    let signer = AddressSigner(key: [1, 2, 3])
    for address in [
      try address(), try address(name: nil), try address(type: nil), try address(name: nil, type: nil),
    ] {
      let text = signer.sign(address)
      #expect(text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) })
      #expect(try signer.check(text, now: now) == address)
      #expect(try signer.check(text, now: now + 299.9) == address)
      #expect(throws: Problem.self) { try signer.check(text, now: now + 300) }
    }
  }

  @Test func `an address that was changed in any place opens nothing`() throws {
    let signer = AddressSigner(key: [1, 2, 3])
    let text = Array(signer.sign(try address()).utf8)
    for index in text.indices {
      for digit in [UInt8(ascii: "A"), UInt8(ascii: "B"), UInt8(ascii: "."), UInt8(ascii: "!")]
      where text[index] != digit {
        var changed = text
        changed[index] = digit
        #expect(throws: Problem.self) { try signer.check(String(decoding: changed, as: UTF8.self), now: now) }
      }
      let cut = String(decoding: text[..<index], as: UTF8.self)
      #expect(throws: Problem.self) { try signer.check(cut, now: now) }
    }
    let other = AddressSigner(key: [1, 2, 4]).sign(try address())
    #expect(throws: Problem.self) { try signer.check(other, now: now) }
  }

  @Test func `the key lies in a private file, and is made anew when others could read it`() async throws {
    let directory = TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    let path = directory.path + "/address.key"
    let text = try AddressSigner.open(path: path).sign(try address())
    var status = stat()
    #expect(stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    #expect(try AddressSigner.open(path: path).check(text, now: now) == address())
    // What a server left that was killed while it wrote the file.
    #expect(FileManager.default.createFile(atPath: path + ".new", contents: Data("half".utf8)))
    #expect(try AddressSigner.open(path: path).check(text, now: now) == address())
    #expect(!FileManager.default.fileExists(atPath: path + ".new"))
    #expect(chmod(path, 0o644) == 0)
    let anew = try AddressSigner.open(path: path)
    #expect(throws: Problem.self) { try anew.check(text, now: now) }
    withExtendedLifetime(directory) {}
  }

  @Test(
    arguments: [
      (nil, 100, .whole), ("bytes=0-0", 100, .part(0..<1)), ("bytes=10-19", 100, .part(10..<20)),
      ("BYTES=10-19", 100, .part(10..<20)), ("bytes=90-", 100, .part(90..<100)),
      ("bytes=90-1000", 100, .part(90..<100)), ("bytes=-10", 100, .part(90..<100)),
      ("bytes=-1000", 100, .part(0..<100)), ("bytes=100-", 100, .unsatisfiable),
      ("bytes=0-", 0, .unsatisfiable), ("bytes=-0", 100, .unsatisfiable), ("bytes=-5", 0, .unsatisfiable),
      ("bytes=0-99999999999999999999", 100, .part(0..<100)),
      ("bytes=99999999999999999999-", 100, .unsatisfiable), ("bytes=20-10", 100, .whole),
      ("bytes=0-1,5-6", 100, .whole), ("bytes=", 100, .whole), ("bytes=-", 100, .whole),
      ("bytes=a-b", 100, .whole), ("bytes=1-2-3", 100, .whole), ("lines=1-2", 100, .whole),
      ("bytes=+1-2", 100, .whole),
    ] as [(String?, Int64, ByteRange)])
  func `parts of a file are asked for as RFC 9110 has it`(header: String?, size: Int64, range: ByteRange) {
    #expect(ByteRange(header, size: size) == range)
  }
}
