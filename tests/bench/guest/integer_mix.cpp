// Lists, matrices, state machines and CRC: branches, loads and integer arithmetic in about equal parts.

#include "workloads.hpp"

namespace guest {

namespace {

// --- Lists: search, reversal, merge sort ---

struct Node {
  Node* next;
  int16_t key, value;
};

constexpr unsigned kNodes = 192;

Node* make_list(Node* nodes, Random& random) {
  for (unsigned i = 0; i < kNodes; ++i) {
    nodes[i].next = i + 1 < kNodes ? &nodes[i + 1] : nullptr;
    nodes[i].key = static_cast<int16_t>(random.next() & 0x7fff);
    nodes[i].value = static_cast<int16_t>(i);
  }
  return nodes;
}

Node* reverse(Node* list) {
  Node* result = nullptr;
  while (list != nullptr) {
    Node* next = list->next;
    list->next = result;
    result = list;
    list = next;
  }
  return result;
}

const Node* find(const Node* list, int16_t value) {
  while (list != nullptr && list->value != value) list = list->next;
  return list;
}

bool by_key(const Node& a, const Node& b) { return a.key <= b.key; }
bool by_value(const Node& a, const Node& b) { return a.value <= b.value; }

Node* merge_sort(Node* list, bool (*in_order)(const Node&, const Node&)) {
  for (unsigned width = 1;; width *= 2) {
    Node* rest = list;
    Node** tail = &list;
    unsigned merges = 0;
    while (rest != nullptr) {
      ++merges;
      Node *left = rest, *right = rest;
      unsigned left_count = 0, right_count = width;
      while (left_count < width && right != nullptr) ++left_count, right = right->next;
      while (left_count > 0 || (right_count > 0 && right != nullptr)) {
        const bool from_left = left_count > 0 && (right_count == 0 || right == nullptr || in_order(*left, *right));
        Node*& from = from_left ? left : right;
        --(from_left ? left_count : right_count);
        *tail = from;
        tail = &from->next;
        from = from->next;
      }
      rest = right;
    }
    *tail = nullptr;
    if (merges <= 1) return list;
  }
}

uint32_t lists(Random& random) {
  Node nodes[kNodes];
  Node* list = reverse(make_list(nodes, random));
  uint32_t sum = 0;
  for (int i = 0; i < 24; ++i) {
    const Node* found = find(list, static_cast<int16_t>(random.next() % (kNodes + 16)));
    sum = sum * 3 + (found == nullptr ? 1 : static_cast<uint32_t>(found->key));
    if (i % 8 == 0) list = reverse(list);
  }
  list = merge_sort(list, by_key);
  for (const Node* n = list; n != nullptr; n = n->next) sum = sum * 5 + static_cast<uint32_t>(n->value);
  list = merge_sort(list, by_value);
  for (const Node* n = list; n != nullptr; n = n->next) sum = sum * 7 + static_cast<uint32_t>(n->key);
  return sum;
}

// --- Matrices ---

constexpr unsigned kSide = 20;

uint32_t matrices(Random& random) {
  int16_t a[kSide][kSide], b[kSide][kSide];
  int32_t product[kSide][kSide];
  for (unsigned i = 0; i < kSide; ++i) {
    for (unsigned j = 0; j < kSide; ++j) {
      a[i][j] = static_cast<int16_t>(random.next() % 201);
      b[i][j] = static_cast<int16_t>(random.next() & 0xff);
    }
  }
  uint32_t sum = 0;
  for (unsigned i = 0; i < kSide; ++i) {
    for (unsigned j = 0; j < kSide; ++j) {
      int32_t cell = 0;
      for (unsigned k = 0; k < kSide; ++k) cell += a[i][k] * b[k][j];
      product[i][j] = cell;
    }
  }
  for (unsigned i = 0; i < kSide; ++i) {
    for (unsigned j = 0; j < kSide; ++j) {
      const auto bits = static_cast<uint32_t>(product[i][j]);
      sum += (bits >> 2 & 15) * (bits >> 5 & 127);
    }
  }
  return sum;
}

// --- A state machine that reads numbers ---

enum State : uint8_t { kStart, kSign, kInteger, kPoint, kFraction, kExponent, kExponentSign, kScientific, kInvalid, kStates };

State step(State state, char c) {
  const bool digit = c >= '0' && c <= '9';
  switch (state) {
    case kStart:
    case kSign:
      if (digit) return kInteger;
      if (c == '.') return kPoint;
      return state == kStart && (c == '+' || c == '-') ? kSign : kInvalid;
    case kInteger:
      if (digit) return kInteger;
      if (c == '.') return kFraction;
      return c == 'e' ? kExponent : kInvalid;
    case kPoint: return digit ? kFraction : kInvalid;
    case kFraction:
      if (digit) return kFraction;
      return c == 'e' ? kExponent : kInvalid;
    case kExponent:
      if (digit) return kScientific;
      return c == '+' || c == '-' ? kExponentSign : kInvalid;
    case kExponentSign:
    case kScientific: return digit ? kScientific : kInvalid;
    default: return kInvalid;
  }
}

uint32_t state_machine(Random& random) {
  static const char* const kWords[] = {"5012", "+874", "-.12", "3.75e2", "-110.700", "+0.64400e-9", "T0.3e-1F", "1e+T", "-T.T++Tq", "77e.5"};
  uint32_t visits[kStates] = {}, ends[kStates] = {};
  for (int i = 0; i < 160; ++i) {
    State state = kStart;
    for (const char* c = kWords[random.next() % 10]; *c != 0; ++c) {
      state = step(state, *c);
      ++visits[state];
    }
    ++ends[state];
  }
  uint32_t sum = 0;
  for (unsigned i = 0; i < kStates; ++i) sum = sum * 31 + visits[i] * 16 + ends[i];
  return sum;
}

// --- CRC, bit by bit ---

uint16_t crc16(uint32_t data, uint16_t crc) {
  for (int i = 0; i < 32; ++i) {
    const bool flip = ((data ^ crc) & 1) != 0;
    data >>= 1;
    crc = static_cast<uint16_t>(crc >> 1);
    if (flip) crc ^= 0xa001;
  }
  return crc;
}

}  // namespace

uint32_t crc32(const uint8_t* data, size_t count, uint32_t crc) {
  static uint32_t table[256];
  if (table[1] == 0) {
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t value = i;
      for (int k = 0; k < 8; ++k) value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320u : value >> 1;
      table[i] = value;
    }
  }
  crc = ~crc;
  for (size_t i = 0; i < count; ++i) crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
  return ~crc;
}

uint32_t integer_mix() {
  Random random;
  uint16_t crc = 0;
  for (int i = 0; i < 1500; ++i) {
    const uint32_t parts[] = {lists(random), matrices(random), state_machine(random)};
    for (const uint32_t part : parts) {
      for (unsigned k = 0; k < 4; ++k) crc = crc16(part * (k + 1), crc);
    }
  }
  return crc;
}

}  // namespace guest
