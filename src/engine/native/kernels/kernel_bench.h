// Measures kernels one by one, on one thread and on data that fits the second-level cache.
#pragma once
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace lunet {

struct KernelFigure {
  std::string kernel;
  std::string shape;  // description of the data
  double flops;       // multiplications and additions of a convolution; 0 for kernels that move data
  double bytes;       // bytes read and written
  double seconds;     // the best of several rounds
};

// GFLOP/s of multiply-adds in registers on `threads` threads: the best of many rounds of one or two milliseconds.
double measurePeak(const Kernels& kernels, int threads);

std::vector<KernelFigure> benchKernels(const Kernels& kernels);

}  // namespace lunet
