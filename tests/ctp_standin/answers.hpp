// What both libraries of the stand-in need to fill the vendor's structures.
#pragma once

#include <cstdio>
#include <cstring>
#include <string>

#include "ThostFtdcUserApiStruct.h"
#include "exchange.hpp"

namespace standin {

// Copies text into a fixed field, cut to fit and ended with 0.
template <std::size_t Size>
void put(char (&field)[Size], const std::string& text) {
    std::snprintf(field, Size, "%s", text.c_str());
}

inline CThostFtdcRspInfoField info(const Failure& failure) {
    CThostFtdcRspInfoField field{};
    field.ErrorID = failure.code;
    put(field.ErrorMsg, failure.message);
    return field;
}

constexpr int kSent = 0, kNoConnection = -1, kTooManyQueries = -3;  // what a request call returns

// A request that the stand-in does not know: say so on standard error, and fail like a broken connection.
inline int unsupported(const char* request) {
    std::fprintf(stderr, "ctp stand-in: %s is not supported\n", request);
    return kNoConnection;
}

}  // namespace standin
