// Measures kernels one by one, on one thread and on data that the second-level cache holds.
#pragma once
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace lunet {

struct KernelFigure {
  std::string kernel;
  std::string shape;  // what it was run on, in words
  double flops;       // multiplications and additions of a convolution; 0 for kernels that move data
  double bytes;       // read and written
  double seconds;     // the best of several rounds
};

// GFLOP/s of multiply-adds in registers on so many threads: the best of many rounds of a millisecond or two.
double measurePeak(const Kernels& kernels, int threads);

std::vector<KernelFigure> benchKernels(const Kernels& kernels);

}  // namespace lunet
