// The table of kernels that an instruction set provides: all arithmetic of the network over voxels.
// N cases, C channels, D, H, W voxels; "dense" is (N, C, D, H, W) without padding.
//
// Packed slabs. A kernel that needs neighbours reads its input from a packed slab: consecutive planes of one case (or
// all planes of several small cases) with a halo of zeros, in a flat layout in which voxel i has its neighbours at
// i + offset. Rows have W floats and one zero (stride W + 1), and one zero row follows the H rows of a plane. So every
// tap of a 3x3x3 convolution is one constant offset for every volume shape, and vectors can run across row ends:
// outputs on the padding are computed and discarded.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lunet {

// The contract between kernels and their callers.
constexpr int kMostLanes = 16;                 // floats in the longest vector
constexpr int kWidestBlock = 8;                // maximal outputs of `correlate`
constexpr int kProductsBlock = 4;              // maximal outputs of `products`
constexpr int kLongestTile = 15 * kMostLanes;  // maximal floats per output in a register tile
constexpr int kReadBehind = 512;               // floats after the last wanted one that a kernel may read
static_assert(kReadBehind >= kLongestTile + kMostLanes, "kernels may read a tile and one vector after the last float");
// Winograd's algorithm (see winograd.h): transformed planes for two planes of an input, transformed planes for two
// planes of the gradient of an output, and weights of one input and one output.
constexpr int kWinogradPlanes = 4, kWinogradGradientPlanes = 6, kWinogradWeights = kWinogradPlanes * 9;

// Rows of one plane of a packed channel: `rows` rows of `width` floats, `stride` apart.
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
  // for o < outputs <= kWidestBlock and 0 <= i < count, rounded up to whole vectors. Writes to out + o*outStride; with
  // `more`, adds to it instead.
  void (*correlate)(int outputs, const float* x, ptrdiff_t xStride, int inputs, const ptrdiff_t* offsets, int taps,
                    const float* w, bool more, float* out, ptrdiff_t outStride, int count);

  // A 3x3x3 convolution with one or two outputs, of `rows` packed rows with `width` wanted floats each:
  // out[o*outStride + i] = sum_c sum_z sum_x sum_y w[(((c*3 + z)*3 + x)*3 + y)*outputs + o] * x[c*xStride + i +
  // offset], offset = (z-1)*plane + (y-1)*row + x-1. Also overwrites unwanted floats, up to a vector after the last
  // row.
  void (*correlate_rows)(int outputs, const float* x, ptrdiff_t xStride, int inputs, ptrdiff_t plane, ptrdiff_t row,
                         const float* w, float* out, ptrdiff_t outStride, int rows, int width);

  // Winograd's algorithm F(2,3) along depth (see winograd.h). Computes the four transformed planes, `plane` floats
  // apart, of the packed planes d0 to d3 of `count` floats each.
  void (*winograd_input)(int count, const float* const* d, float* packed, ptrdiff_t plane);
  // The same, followed by d1 and d2 themselves.
  void (*winograd_gradient)(int count, const float* const* d, float* packed, ptrdiff_t plane);
  // Transforms the convolved transformed planes back into the two output planes, in place of the first two. The
  // distance between planes is kWidestBlock rows of `stride` floats.
  void (*winograd_output)(int outputs, int count, float* results, ptrdiff_t stride);

  // sums[o*sumStride + k] += sum over i < count of dy[o*dyStride + i] * x[k][i], for o < outputs <= kProductsBlock and
  // k < factors.
  void (*products)(int outputs, const float* dy, ptrdiff_t dyStride, const float* const* x, int factors, int count,
                   float* sums, ptrdiff_t sumStride);

  // packed = source * scale + shift.
  void (*pack_affine)(Rows to, float* packed, const float* source, float scale, float shift);
  // The same for the maximum over 2x2x2: source points at the first of the fine rows; fine planes are planeStride
  // apart.
  void (*pack_pooled)(Rows to, float* packed, const float* source, ptrdiff_t planeStride, float scale, float shift);
  // The gradient at the output of a convolution, before the ReLU, from the gradient at the output of its batch norm:
  // packed = activation > threshold ? a*gradient + b*activation + c : 0. Returns the sum of the written values.
  double (*pack_gradient)(Rows to, float* packed, const float* gradient, const float* activation, float a, float b,
                          float c, float threshold);
  // A plane of the 2x2x2 up-convolution of the coarse plane at `source`, whose channels are sourceStride apart. `w`:
  // the biases of the four (y, x) positions, then four weights for each input. Reads up to a vector after the plane.
  void (*pack_up)(Rows to, float* packed, int inputs, const float* source, ptrdiff_t sourceStride, const float* w);

  // Sorts the voxels of a packed plane (`from`, without its padding) by their phase at corners (see up/composition.h):
  // writes the four (y, x) phases of a plane of corners, `phase` floats apart, in rows `row` floats apart. Writes zeros
  // for phases outside of the volume.
  void (*split_phases)(Rows from, const float* packed, float* phases, ptrdiff_t phase, ptrdiff_t row);
  // The reverse: adds the phases of corners to fine rows y, y + 1, ... of a plane. `phases` points at the corners of
  // row y.
  void (*add_phases)(Rows to, float* packed, int y, const float* phases, ptrdiff_t phase, ptrdiff_t row);

  // With `past`, the next three bypass the caches when they write aligned rows: for volumes that are too large to stay
  // in a cache until they are read.
  // out = max(packed + bias, 0), dense rows; adds the sums of out and its square to sums[0], sums[1]. NaN stays NaN; if
  // a value is minus infinity, which the maximum hides, the sum of squares is NaN.
  void (*unpack_relu)(Rows from, const float* packed, float bias, float* out, bool past, double* sums);
  // out = packed; with `activation`, adds the sums of out and of out*activation to sums[0], sums[1].
  void (*unpack_gradient)(Rows from, const float* packed, float* out, const float* activation, bool past, double* sums);
  // Sorts the voxels of fine rows y, y + 1, ... of a plane by their (y, x) position in the 2x2x2 fine voxels of one
  // coarse voxel: writes four dense coarse planes at `out`, `position` floats apart.
  void (*unpack_positions)(Rows from, const float* packed, int y, float* out, ptrdiff_t position, bool past);

  // Adds a pooled gradient (one coarse row) to the four fine rows that were pooled: in each 2x2x2 to the first voxel
  // with the maximum of scale*activation + shift. `rows` are the offsets of the fine rows (z, y) = (0,0) (0,1) (1,0)
  // (1,1) within both `activation` and `gradient`. With `fresh`, overwrites the gradient instead of adding to it.
  // Adds the sums of the finished gradient and of gradient*activation.
  void (*unpool_row)(int width, const float* pooled, const float* activation, float* gradient, const ptrdiff_t* rows,
                     bool positive, bool fresh, double* sums);

  // logits[i] = bias + sum_c weight[c] * (scale[c] * activation[c][i] + shift[c]).
  void (*head_logits)(int count, int channels, const float* const* activation, const float* scale, const float* shift,
                      const float* weight, float bias, float* logits);
  // probability = 1 / (1 + exp(-logit)), in place.
  void (*sigmoid)(int count, float* values);
  // With t = 1 inside the region, else 0: replaces p by the slope, p (1 - p) if t is 0 and -p (1 - p) if t is 1. Adds
  // the sums of p*t, p, t and of the positive and the negative slopes.
  void (*dice_terms)(int count, float* probability, const uint8_t* label, Region region, double* sums);
  // Adds the sums of p*t, p, t of the mask p > 0.5.
  void (*overlap)(int count, const float* probability, const uint8_t* label, Region region, double* sums);
  // gradient (+)= slope times `above` if the slope is positive, times `below` if negative; `first` overwrites.
  void (*head_gradient)(int count, const float* slope, float above, float below, bool first, float* gradient);
  // Adds the sums of positive slopes times x and of negative slopes times x.
  void (*signed_sums)(int count, const float* slope, const float* x, double* sums);
  // values[i] = 0 where the label is `ignored`.
  void (*clear_ignored)(int count, const uint8_t* label, int ignored, float* values);

  // The next three are for Dice with cross-entropy. Replaces the logit by the error e = p - t, or 0 where the label is
  // `ignored` (-1: nowhere). Adds, over the other voxels, the sums of p*t, p, t, of the positive and the negative slopes
  // e (1 - |e|), of e and of the cross-entropy, and the number of these voxels.
  void (*entropy_terms)(int count, float* logit, const uint8_t* label, Region region, int ignored, double* sums);
  // gradient (+)= slope times `above` if e is positive, times `below` if negative, plus e times `entropy`.
  void (*error_gradient)(int count, const float* error, float above, float below, float entropy, bool first,
                         float* gradient);
  // Adds the sums of positive slopes times x, of negative slopes times x and of e times x.
  void (*error_sums)(int count, const float* error, const float* x, double* sums);

  // One step of Adam (Kingma and Ba 2015) over `count` parameters: rate = learning rate / (1 - beta1^t),
  // correction = 1 / sqrt(1 - beta2^t).
  void (*adam)(size_t count, float* weight, const float* gradient, float* m, float* v, float rate, float beta1,
               float beta2, float correction, float epsilon);

  // Does `repeats` rounds of independent fused multiply-adds in registers, to measure the peak of the machine. Returns
  // the number of multiply-adds.
  double (*peak)(int repeats, float* sink);
};

}  // namespace lunet
