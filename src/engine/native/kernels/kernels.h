// The table of kernels that an instruction set provides: all the network's arithmetic over voxels.
// N cases, C channels, D, H, W voxels; "dense" is (N, C, D, H, W) without padding.
//
// Packed slabs. A kernel that looks at neighbours reads its input from a packed slab: consecutive planes of one case
// (or all planes of several small cases) with zeros around, laid out flat so that one index i names a voxel and
// i + offset a neighbour: rows of W floats and one zero (stride W + 1), one zero row after the H rows of a plane.
// So every tap of a 3x3x3 convolution is one constant offset, whatever the volume's shape, and vectors run on over
// row ends: outputs on the padding are computed and thrown away.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lunet {

// What kernels and those that call them agree on.
constexpr int kMostLanes = 16;                 // floats in the longest vector
constexpr int kWidestBlock = 8;                // outputs of `correlate` at most
constexpr int kProductsBlock = 4;              // outputs of `products` at most
constexpr int kLongestTile = 15 * kMostLanes;  // floats of an output that a kernel keeps in registers at most
constexpr int kReadBehind = 512;               // floats behind the last wanted one that a kernel may read
static_assert(kReadBehind >= kLongestTile + kMostLanes, "a tile and one vector more may lie behind the last float");
// Winograd's algorithm (see winograd.h): transformed planes for two planes of an input, and for two of an output's
// gradient, and weights of one input and one output.
constexpr int kWinogradPlanes = 4, kWinogradGradientPlanes = 6, kWinogradWeights = kWinogradPlanes * 9;

// Rows of one packed channel's plane: `rows` rows of `width` floats, `stride` apart.
struct Rows {
  int rows;
  int width;
  ptrdiff_t stride;
};

// The label values that belong to an output.
struct Region {
  const uint8_t* labels;
  int count;
};

struct Kernels {
  const char* name;
  int lanes;

  // Sum over inputs and taps: out[o][i] = sum_c sum_t w[(c*taps + t)*outputs + o] * x[c*xStride + i + offsets[t]]
  // for o < outputs <= kWidestBlock and 0 <= i < count, rounded up to whole vectors. Writes out + o*outStride; `more`
  // adds to what is there.
  void (*correlate)(int outputs, const float* x, ptrdiff_t xStride, int inputs, const ptrdiff_t* offsets, int taps,
                    const float* w, bool more, float* out, ptrdiff_t outStride, int count);

  // A 3x3x3 convolution with one or two outputs of `rows` packed rows, of which the first `width` floats are wanted:
  // out[o*outStride + i] = sum_c sum_z sum_x sum_y w[(((c*3 + z)*3 + x)*3 + y)*outputs + o] * x[c*xStride + i +
  // offset], offset = (z-1)*plane + (y-1)*row + x-1. What is not wanted is overwritten, up to a vector behind the last.
  void (*correlate_rows)(int outputs, const float* x, ptrdiff_t xStride, int inputs, ptrdiff_t plane, ptrdiff_t row,
                         const float* w, float* out, ptrdiff_t outStride, int rows, int width);

  // Winograd's algorithm F(2,3) along depth (see winograd.h). The four transformed planes of the packed planes d0 to
  // d3 of `count` floats each, `plane` floats apart.
  void (*winograd_input)(int count, const float* const* d, float* packed, ptrdiff_t plane);
  // The same, and d1 and d2 themselves behind them.
  void (*winograd_gradient)(int count, const float* const* d, float* packed, ptrdiff_t plane);
  // Turns the convolved transformed planes into the two output planes, which take the places of the first two. From a
  // plane to the next there are kWidestBlock rows of `stride` floats.
  void (*winograd_output)(int outputs, int count, float* results, ptrdiff_t stride);

  // sums[o*sumStride + k] += sum over i < count of dy[o*dyStride + i] * x[k][i], for o < outputs <= kProductsBlock and
  // k < factors.
  void (*products)(int outputs, const float* dy, ptrdiff_t dyStride, const float* const* x, int factors, int count,
                   float* sums, ptrdiff_t sumStride);

  // packed = source * scale + shift.
  void (*pack_affine)(Rows to, float* packed, const float* source, float scale, float shift);
  // The same of the maximum over 2x2x2: source points at the first of the fine rows, planeStride apart in depth.
  void (*pack_pooled)(Rows to, float* packed, const float* source, ptrdiff_t planeStride, float scale, float shift);
  // The gradient at a convolution's output, before its ReLU, from that at its batch norm's output:
  // packed = activation > threshold ? a*gradient + b*activation + c : 0. Returns the sum of what it wrote.
  double (*pack_gradient)(Rows to, float* packed, const float* gradient, const float* activation, float a, float b,
                          float c, float threshold);
  // A plane of the 2x2x2 up-convolution of the coarse plane at `source`, whose channels lie sourceStride apart. `w`:
  // the biases of the four (y, x) positions, then four weights for each input. Reads up to a vector behind the plane.
  void (*pack_up)(Rows to, float* packed, int inputs, const float* source, ptrdiff_t sourceStride, const float* w);

  // Sorts the voxels of a packed plane (`from`, without its padding) by their phase at corners (see up/composition.h):
  // writes the four (y, x) phases of a plane of corners, `phase` floats apart, in rows `row` floats apart. Writes zeros
  // where a phase lies outside of the volume.
  void (*split_phases)(Rows from, const float* packed, float* phases, ptrdiff_t phase, ptrdiff_t row);
  // The way back: adds the phases of corners to fine rows y, y + 1, ... of a plane. `phases` points at the corners of
  // row y.
  void (*add_phases)(Rows to, float* packed, int y, const float* phases, ptrdiff_t phase, ptrdiff_t row);

  // With `past`, the next three write around the caches where rows are aligned: for volumes that are too large to still
  // be in a cache when they are read.
  // out = max(packed + bias, 0), dense rows; adds the sums of out and its square to sums[0], sums[1]. NaN stays NaN;
  // where the maximum hides minus infinity, the sum of squares is NaN.
  void (*unpack_relu)(Rows from, const float* packed, float bias, float* out, bool past, double* sums);
  // out = packed; with `activation`, adds the sums of out and of out*activation to sums[0], sums[1].
  void (*unpack_gradient)(Rows from, const float* packed, float* out, const float* activation, bool past, double* sums);
  // Sorts the voxels of fine rows y, y + 1, ... of a plane by their (y, x) position in the 2x2x2 that one coarse voxel
  // becomes: four dense coarse planes at `out`, `position` floats apart.
  void (*unpack_positions)(Rows from, const float* packed, int y, float* out, ptrdiff_t position, bool past);

  // Adds a pooled gradient (one coarse row) to the four fine rows it came from: to the first voxel of each 2x2x2 that
  // has the maximum of scale*activation + shift. `rows` are the offsets of the fine rows (z, y) = (0,0) (0,1) (1,0)
  // (1,1) within both `activation` and `gradient`. With `fresh`, the gradient is overwritten instead of added to.
  // Adds the sums of the finished gradient and gradient*activation.
  void (*unpool_row)(int width, const float* pooled, const float* activation, float* gradient, const ptrdiff_t* rows,
                     bool positive, bool fresh, double* sums);

  // logits[i] = bias + sum_c weight[c] * (scale[c] * activation[c][i] + shift[c]).
  void (*head_logits)(int count, int channels, const float* const* activation, const float* scale, const float* shift,
                      const float* weight, float bias, float* logits);
  // probability = 1 / (1 + exp(-logit)), in place.
  void (*sigmoid)(int count, float* values);
  // With t 1 inside the region, else 0: adds the sums of p*t, p, t and of the positive and the negative slopes, which
  // take the place of p: p (1 - p) where t is 0, -p (1 - p) where it is 1.
  void (*dice_terms)(int count, float* probability, const uint8_t* label, Region region, double* sums);
  // Adds the sums of p*t, p, t of the mask p > 0.5.
  void (*overlap)(int count, const float* probability, const uint8_t* label, Region region, double* sums);
  // gradient (+)= slope times `above` where it is positive, `below` where it is negative; `first` overwrites.
  void (*head_gradient)(int count, const float* slope, float above, float below, bool first, float* gradient);
  // Adds the sums of positive slopes times x and of negative slopes times x.
  void (*signed_sums)(int count, const float* slope, const float* x, double* sums);

  // One step of Adam (Kingma and Ba 2015) over `count` parameters: rate = learning rate / (1 - beta1^t),
  // correction = 1 / sqrt(1 - beta2^t).
  void (*adam)(size_t count, float* weight, const float* gradient, float* m, float* v, float rate, float beta1,
               float beta2, float correction, float epsilon);

  // Multiply-adds done by `repeats` rounds of independent fused multiply-adds in registers: the machine's peak.
  double (*peak)(int repeats, float* sink);
};

}  // namespace lunet
