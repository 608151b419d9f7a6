// The unit in software, on every host.
#include "cpu/x87/arithmetic_soft.hpp"
#include "cpu/x87/unit_members.hpp"

template class tuxarium::cpu::x87::BasicUnit<tuxarium::cpu::x87::SoftArithmetic>;
