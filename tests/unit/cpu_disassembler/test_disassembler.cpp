// Bytes and their text: every kind of operand, and what is not regular.
#include <doctest/doctest.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "cpu/disassembler.hpp"

using namespace tuxarium::cpu;

namespace {

constexpr std::uint32_t kAllFeatures = ~0u;

struct Case {
  int bits;
  std::vector<std::uint8_t> bytes;
  const char* text;
};

std::string text_of(const std::vector<std::uint8_t>& bytes, int bits, std::uint32_t eip) {
  Instruction i;
  REQUIRE(decode(bytes, bits == 32, kAllFeatures, i) == DecodeStatus::ok);
  CHECK(i.length == bytes.size());
  return disassemble(i, eip);
}

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.bits);
    CHECK(text_of(c.bytes, c.bits, 0x1000) == c.text);
  }
}

}  // namespace

TEST_CASE("memory operands of 32-bit addresses") {
  check({
      {32, {0x8b, 0x44, 0xb3, 0x10}, "mov eax, dword ptr [ebx+esi*4+0x10]"},
      {32, {0x8b, 0x04, 0x33}, "mov eax, dword ptr [ebx+esi]"},
      {32, {0x8b, 0x04, 0x24}, "mov eax, dword ptr [esp]"},
      {32, {0x8b, 0x45, 0x00}, "mov eax, dword ptr [ebp]"},
      {32, {0x8b, 0x46, 0xf0}, "mov eax, dword ptr [esi-0x10]"},
      {32, {0x8b, 0x80, 0x00, 0x00, 0x00, 0x80}, "mov eax, dword ptr [eax-0x80000000]"},
      {32, {0x8b, 0x05, 0x00, 0x10, 0x00, 0xf0}, "mov eax, dword ptr [0xf0001000]"},
      {32, {0xff, 0x24, 0x85, 0x00, 0x10, 0x00, 0xc0}, "jmp dword ptr [eax*4+0xc0001000]"},
      {32, {0x8b, 0x04, 0x1d, 0x00, 0x10, 0x00, 0xf0}, "mov eax, dword ptr [ebx+0xf0001000]"},
      {32, {0xa1, 0x04, 0x00, 0x00, 0xc0}, "mov eax, dword ptr [0xc0000004]"},
      {32, {0x64, 0xa0, 0x00, 0x00, 0x00, 0x00}, "mov al, byte ptr fs:[0x0]"},
      {32, {0x65, 0xa3, 0x10, 0x00, 0x00, 0x00}, "mov dword ptr gs:[0x10], eax"},
      {32, {0x67, 0x8b, 0x40, 0x08}, "mov eax, dword ptr [bx+si+0x8]"},
      {32, {0x66, 0x89, 0x0b}, "mov word ptr [ebx], cx"},
      {32, {0x88, 0x23}, "mov byte ptr [ebx], ah"},
      {32, {0x2e, 0x89, 0x1a}, "mov dword ptr cs:[edx], ebx"},
      {32, {0x3e, 0x89, 0x5d, 0x04}, "mov dword ptr ds:[ebp+0x4], ebx"},
  });
}

TEST_CASE("memory operands of 16-bit addresses") {
  check({
      {16, {0x8b, 0x00}, "mov ax, word ptr [bx+si]"},
      {16, {0x8b, 0x41, 0xf0}, "mov ax, word ptr [bx+di-0x10]"},
      {16, {0x8b, 0x82, 0x34, 0x12}, "mov ax, word ptr [bp+si+0x1234]"},
      {16, {0x8b, 0x83, 0xfe, 0xff}, "mov ax, word ptr [bp+di-0x2]"},
      {16, {0x8b, 0x04}, "mov ax, word ptr [si]"},
      {16, {0x8b, 0x46, 0x00}, "mov ax, word ptr [bp]"},
      {16, {0x8b, 0x06, 0xf0, 0xff}, "mov ax, word ptr [0xfff0]"},
      {16, {0x26, 0x8b, 0x07}, "mov ax, word ptr es:[bx]"},
      {16, {0x36, 0xa1, 0xfe, 0xff}, "mov ax, word ptr ss:[0xfffe]"},
      {16, {0x66, 0x67, 0x8b, 0x04, 0x24}, "mov eax, dword ptr [esp]"},
  });
}

TEST_CASE("registers and immediates") {
  check({
      {32, {0x04, 0xff}, "add al, 0xff"},
      {32, {0x05, 0x00, 0x00, 0x00, 0x80}, "add eax, 0x80000000"},
      {16, {0x05, 0x00, 0x80}, "add ax, 0x8000"},
      {32, {0x83, 0xc0, 0xf0}, "add eax, 0xfffffff0"},
      {16, {0x83, 0xc0, 0xf0}, "add ax, 0xfff0"},
      {32, {0x82, 0xc0, 0x10}, "add al, 0x10"},
      {32, {0x6a, 0xff}, "push 0xffffffff"},
      {32, {0x68, 0x78, 0x56, 0x34, 0x12}, "push 0x12345678"},
      {32, {0x6b, 0xc1, 0x0a}, "imul eax, ecx, 0xa"},
      {32, {0x0f, 0xaf, 0xc1}, "imul eax, ecx"},
      {32, {0xf7, 0xe9}, "imul ecx"},
      {32, {0xf7, 0xd1}, "not ecx"},
      {32, {0xb4, 0x4c}, "mov ah, 0x4c"},
      {32, {0x57}, "push edi"},
      {32, {0x66, 0x57}, "push di"},
      {32, {0x06}, "push es"},
      {32, {0x0f, 0xa9}, "pop gs"},
      {32, {0xd1, 0xe0}, "shl eax, 1"},
      {32, {0xc1, 0xe0, 0x01}, "shl eax, 0x1"},
      {32, {0xd3, 0xf8}, "sar eax, cl"},
      {32, {0x0f, 0xa4, 0xc1, 0x04}, "shld ecx, eax, 0x4"},
      {32, {0x0f, 0xad, 0xc1}, "shrd ecx, eax, cl"},
      {32, {0xc8, 0x10, 0x00, 0x01}, "enter 0x10, 0x1"},
      {32, {0xc2, 0x04, 0x00}, "ret 0x4"},
      {32, {0xcb}, "retf"},
      {32, {0xe4, 0x60}, "in al, 0x60"},
      {32, {0xef}, "out dx, eax"},
      {32, {0x66, 0xed}, "in ax, dx"},
      {32, {0x0f, 0xb6, 0xc4}, "movzx eax, ah"},
      {32, {0x0f, 0xbf, 0x00}, "movsx eax, word ptr [eax]"},
      {32, {0x63, 0xc1}, "arpl cx, ax"},
      {32, {0x0f, 0xc9}, "bswap ecx"},
      {32, {0x0f, 0x4e, 0xc1}, "cmovle eax, ecx"},
      {32, {0x0f, 0x95, 0xc0}, "setne al"},
  });
}

TEST_CASE("system registers, segments and far pointers") {
  check({
      {32, {0x0f, 0x20, 0xc0}, "mov eax, cr0"},
      {16, {0x0f, 0x22, 0xd8}, "mov cr3, eax"},
      {32, {0x0f, 0x23, 0xf9}, "mov dr7, ecx"},
      {32, {0x0f, 0x20, 0xc8}, "(bad)"},
      {32, {0x0f, 0x22, 0xf8}, "(bad)"},
      {32, {0x8c, 0xd8}, "mov eax, ds"},
      {32, {0x8c, 0x18}, "mov word ptr [eax], ds"},
      {32, {0x8e, 0xe0}, "mov fs, ax"},
      {32, {0x8e, 0xc8}, "(bad)"},
      {32, {0x8c, 0xf0}, "(bad)"},
      {32, {0x0f, 0x01, 0x15, 0x00, 0x10, 0x00, 0x00}, "lgdt fword ptr [0x1000]"},
      {32, {0x0f, 0x01, 0x38}, "invlpg byte ptr [eax]"},
      {32, {0x0f, 0x01, 0xe0}, "smsw eax"},
      {32, {0x0f, 0x01, 0x20}, "smsw word ptr [eax]"},
      {32, {0x0f, 0x00, 0xd8}, "ltr ax"},
      {32, {0x0f, 0xc7, 0x0e}, "cmpxchg8b qword ptr [esi]"},
      {32, {0x8d, 0x43, 0x04}, "lea eax, [ebx+0x4]"},
      {32, {0x64, 0x8d, 0x43, 0x04}, "lea eax, [ebx+0x4]"},
      {32, {0x62, 0x00}, "bound eax, qword ptr [eax]"},
      {16, {0xc4, 0x07}, "les ax, dword ptr [bx]"},
      {32, {0x0f, 0xb2, 0x00}, "lss eax, fword ptr [eax]"},
      {16, {0xea, 0x5b, 0xe0, 0x00, 0xf0}, "jmp far 0xf000:0xe05b"},
      {32, {0x9a, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66}, "call far 0x6655:0x44332211"},
      {32, {0xff, 0x28}, "jmp far fword ptr [eax]"},
      {16, {0xff, 0x1e, 0x00, 0x10}, "call far dword ptr [0x1000]"},
      {32, {0xff, 0xd0}, "call eax"},
  });
}

TEST_CASE("names that sizes change") {
  check({
      {32, {0x98}, "cwde"},         {16, {0x98}, "cbw"},          {32, {0x99}, "cdq"},           {32, {0x66, 0x99}, "cwd"},
      {32, {0x60}, "pushad"},       {16, {0x61}, "popa"},         {32, {0x9c}, "pushfd"},        {16, {0x9d}, "popf"},
      {32, {0xcf}, "iretd"},        {16, {0xcf}, "iret"},         {32, {0xe3, 0xfe}, "jecxz 0x1000"},
      {32, {0x67, 0xe3, 0xfd}, "jcxz 0x1000"},                    {16, {0xe3, 0xfe}, "jcxz 0x1000"},
  });
}

TEST_CASE("string instructions and prefixes") {
  check({
      {32, {0xa4}, "movsb byte ptr es:[edi], byte ptr [esi]"},
      {16, {0xa5}, "movsw word ptr es:[di], word ptr [si]"},
      {32, {0xf3, 0xa5}, "rep movsd dword ptr es:[edi], dword ptr [esi]"},
      {32, {0xf3, 0x64, 0xa5}, "rep movsd dword ptr es:[edi], dword ptr fs:[esi]"},
      {16, {0x67, 0xf3, 0xa4}, "rep movsb byte ptr es:[edi], byte ptr [esi]"},
      {32, {0xf3, 0xa6}, "repe cmpsb byte ptr [esi], byte ptr es:[edi]"},
      {32, {0xf2, 0xae}, "repne scasb al, byte ptr es:[edi]"},
      {32, {0xf3, 0xab}, "rep stosd dword ptr es:[edi], eax"},
      {32, {0x66, 0xad}, "lodsw ax, word ptr [esi]"},
      {32, {0x6c}, "insb byte ptr es:[edi], dx"},
      {32, {0xf3, 0x6f}, "rep outsd dx, dword ptr [esi]"},
      {32, {0x2e, 0xd7}, "xlat byte ptr cs:[ebx]"},
      {32, {0xf0, 0x0f, 0xb1, 0x11}, "lock cmpxchg dword ptr [ecx], edx"},
      {32, {0xf0, 0xff, 0x08}, "lock dec dword ptr [eax]"},
      {32, {0x90}, "nop"},
      {32, {0xf3, 0x90}, "pause"},
      {32, {0x91}, "xchg ecx, eax"},
      {32, {0x87, 0x0b}, "xchg dword ptr [ebx], ecx"},
      {32, {0x84, 0xc9}, "test cl, cl"},
      {32, {0x85, 0x03}, "test dword ptr [ebx], eax"},
      {32, {0x0f, 0x1f, 0x40, 0x00}, "nop dword ptr [eax]"},
      {32, {0xcd, 0x80}, "int 0x80"},
      {32, {0xcc}, "int3"},
      {32, {0xfd}, "std"},
      {32, {0x09, 0xc0}, "or eax, eax"},
      {32, {0xd4, 0x0a}, "aam 0xa"},
  });
}

TEST_CASE("branch targets are absolute and wrap at the operand size") {
  CHECK(text_of({0xeb, 0x80}, 32, 0x1000) == "jmp 0xf82");
  CHECK(text_of({0x0f, 0x84, 0x00, 0x00, 0x00, 0xf0}, 32, 0xc0100000) == "je 0xb0100006");
  CHECK(text_of({0xe8, 0xfb, 0xff, 0xff, 0xff}, 32, 0xc0100000) == "call 0xc0100000");
  CHECK(text_of({0xeb, 0xfe}, 32, 0xfffffffe) == "jmp 0xfffffffe");
  CHECK(text_of({0xe9, 0x00, 0x20}, 16, 0xf000) == "jmp 0x1003");
  CHECK(text_of({0x72, 0xf0}, 16, 0x0000) == "jb 0xfff2");
  CHECK(text_of({0x66, 0xe9, 0x00, 0x00, 0x01, 0x00}, 16, 0x0010) == "jmp 0x10016");
  CHECK(text_of({0x66, 0xe8, 0x00, 0x00}, 32, 0x12345678) == "call 0x567c");
}

TEST_CASE("x87") {
  check({
      {32, {0xd8, 0xc1}, "fadd st(0), st(1)"},
      {32, {0xdc, 0xe1}, "fsubr st(1), st(0)"},
      {32, {0xde, 0xe9}, "fsubp st(1), st(0)"},
      {32, {0xd9, 0xc7}, "fld st(7)"},
      {32, {0xd9, 0xd0}, "fnop"},
      {32, {0xd9, 0xd1}, "(bad)"},
      {32, {0xd9, 0xfb}, "fsincos"},
      {32, {0xda, 0xe9}, "fucompp"},
      {32, {0xdb, 0xe3}, "fninit"},
      {32, {0xdf, 0xe0}, "fnstsw ax"},
      {32, {0xdf, 0xf1}, "fcomip st(0), st(1)"},
      {32, {0xd9, 0x45, 0xf8}, "fld dword ptr [ebp-0x8]"},
      {32, {0xdd, 0x5d, 0xf8}, "fstp qword ptr [ebp-0x8]"},
      {32, {0xdb, 0x28}, "fld tbyte ptr [eax]"},
      {32, {0xdf, 0x30}, "fbstp tbyte ptr [eax]"},
      {32, {0xd9, 0x38}, "fnstcw word ptr [eax]"},
      {32, {0xdd, 0x30}, "fnsave [eax]"},
      {32, {0x64, 0xd9, 0x20}, "fldenv fs:[eax]"},
      {32, {0xdd, 0x08}, "fisttp qword ptr [eax]"},
      {32, {0xdb, 0x20}, "(bad)"},
      {32, {0x9b}, "fwait"},
  });
}

TEST_CASE("what was not decoded is bad") {
  CHECK(disassemble(Instruction{}, 0) == kBadInstruction);
  Instruction i;
  CHECK(decode(std::vector<std::uint8_t>{0x0f, 0xff, 0x00}, true, kAllFeatures, i) == DecodeStatus::invalid);
  CHECK(disassemble(i, 0) == kBadInstruction);
}
