// Code that is unmapped after the start: which it is, and that it comes back.

import Testing

@testable import MartletServer

@Suite struct ProgramCodeTests {
  private static let smaps = """
    55d0c6a00000-55d0c86d8000 r-xp 00000000 fe:00 1571 /opt/two words/martlet
    Size:              29536 kB
    Rss:               17336 kB
    Anonymous:             0 kB
    VmFlags: rd ex mr mw me sd
    55d0c86d9000-55d0c87a3000 rw-p 01cd8000 fe:00 1571 /opt/two words/martlet
    Size:                808 kB
    Rss:                 700 kB
    Anonymous:             0 kB
    55d0c87a3000-55d0c87a4000 r-xp 01da2000 fe:00 1571 /opt/two words/martlet
    Rss:                   4 kB
    Anonymous:             4 kB
    7ffd5a1f2000-7ffd5a1f4000 r-xp 00000000 00:00 0 [vdso]
    Rss:                   8 kB
    Anonymous:             0 kB
    """

  private func mapping(around address: UInt, in text: String = smaps) -> CodeMapping? {
    var lines = text.split(separator: "\n").makeIterator()
    return CodeMapping(around: address) { lines.next().map(String.init) }
  }

  @Test func `the mapping around an address is found, with what it holds`() throws {
    let code = try #require(mapping(around: 0x55d0_c86d_7fff))
    #expect(code.start == 0x55d0_c6a0_0000)
    #expect(code.length == 29_536 << 10)
    #expect(code.resident == 17_336 << 10)
    #expect(code.isAsInFile)
    #expect(mapping(around: 0x55d0_c86d_8000) == nil)
    #expect(mapping(around: 0x55d0_c6a0_0000, in: "") == nil)
  }

  @Test func `what can be written to, was written to, or comes from no file is left alone`() throws {
    for address: UInt in [0x55d0_c86d_9000, 0x55d0_c87a_3000, 0x7ffd_5a1f_2000] {
      #expect(try !#require(mapping(around: address)).isAsInFile)
    }
    // A kernel that does not tell.
    #expect(try !#require(mapping(around: 16, in: "10-20 r-xp 0 fe:00 1 /bin/x\nRss: 4 kB")).isAsInFile)
  }

  @Test func `code leaves memory, and what is run comes back`() throws {
    let code = try #require(ProgramCode.mapping())
    #expect(code.isAsInFile)
    let start = try #require(UnsafeRawPointer(bitPattern: code.start))
    func sum() -> Int {
      stride(from: 0, to: Int(code.length), by: 4_096).reduce(0) {
        $0 + Int(start.load(fromByteOffset: $1, as: UInt8.self))
      }
    }
    let before = sum()
    let full = try #require(ProgramCode.mapping()).resident
    ProgramCode.release()
    let left = try #require(ProgramCode.mapping()).resident
    // Other tests run meanwhile, and need some of it.
    #expect(left < full / 2, "\(left) of \(full) bytes")
    #expect(sum() == before)
  }
}
