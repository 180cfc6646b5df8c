// One kind of cell in one number format over sizes and batches: ours, and each algorithm of cuDNN that takes the case.
// Compiled with -DCELL=lstm -DFORMAT=bf16. Prints CSV, a line a measurement; the first line names the columns.
// Options: seconds for a measurement, and the largest hidden size.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "sequent/cuda.hpp"
#include "timing.hpp"
#if __has_include(<cudnn.h>)
#include "cudnn.hpp"
#define WITH_CUDNN 1
#else
#define WITH_CUDNN 0
#endif

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)

using namespace sequent;

namespace {

constexpr precision format = precision::FORMAT;
using device = cuda_with<format>;
template <int Input, int Hidden>
using cell_type = CELL<Input, Hidden>;

constexpr int steps = 512;
double seconds = 0.3;

struct batch_case {
    std::string name;
    std::vector<int> lengths;  // descending
    bool packed;
};

std::vector<batch_case> cases(int batch) {
    std::vector<int> const full(static_cast<std::size_t>(batch), steps);
    std::vector<int> uneven = full;  // 25 to 100 % of the steps
    random_stream const random{1, 3};
    for (std::size_t i = 1; i < uneven.size(); ++i)
        uneven[i] = steps / 4 + static_cast<int>(random.below(i, 3 * steps / 4 + 1));
    std::sort(uneven.rbegin(), uneven.rend());
    return {{"full", full, false}, {"packed", uneven, true}};
}

void print(int hidden, int batch, std::string const& shape, std::string const& lengths, char const* what,
           std::string const& who, bench::sample const& time) {
    std::printf("%s,%s,%d,%d,%s,%s,%s,%s,%.3f,%.3f,%.4f\n", TEXT(CELL), TEXT(FORMAT), hidden, batch, shape.c_str(),
                lengths.c_str(), what, who.c_str(), 1000 * time.median / steps, 1000 * time.spread / steps,
                time.median);
    std::fflush(stdout);
}

// A layer with memory of its own, as a model would hold it.
template <class Layer>
class our_layer {
  public:
    our_layer(std::vector<int> const& lengths, int inputs) {
        make_plan(device_, packing(lengths), plan_);
        std::size_t const rows = static_cast<std::size_t>(plan_.rows());
        random_into(parameters_, static_cast<std::size_t>(Layer::parameter_size), 0.1f);
        random_into(input_, rows * static_cast<std::size_t>(inputs), 1);
        random_into(output_gradient_, rows * Layer::features, 1);
        gradients_.resize(static_cast<std::size_t>(Layer::parameter_size), 0.0f);
        flow_ = {&plan_, {{input_.data(), plan_.rows(), inputs}, {}}, {}};
    }
    [[nodiscard]] cudaStream_t stream() const { return device_.machine->stream(); }
    void forward(mode how) {
        now_.how = how;
        (void)layer_.forward(now_, static_cast<float const*>(parameters_.data()), memory_, flow_);
    }
    void backward() {
        sequence_gradient<float> const gradient{{output_gradient_.data(), plan_.rows(), Layer::features}, {}};
        (void)layer_.backward(now_, static_cast<float const*>(parameters_.data()), gradients_.data(), memory_, flow_,
                              gradient, input_gradient::wanted);
    }

  private:
    void random_into(device::buffer<float>& to, std::size_t n, float range) {
        random_stream const random{1, n};
        std::vector<float> values(n);
        for (std::size_t j = 0; j < n; ++j) values[j] = range * (2 * random.uniform(j) - 1);
        copy_from_host(device_, static_cast<float const*>(values.data()), n, to.reserve(n));
    }

    device device_;
    device::plan plan_;
    device::buffer<float> parameters_, gradients_, input_, output_gradient_;
    Layer layer_;
    typename Layer::template memory<device, float> memory_;
    sequence_flow<device, float> flow_{};
    pass<device> now_{device_, mode::training, 0, 0, 1};
};

template <int Hidden, class Layer>
void time_ours(int hidden, int batch, std::string const& shape, batch_case const& of) {
    our_layer<Layer> ours(of.lengths, hidden);
    std::string const who = "sequent " + std::string(name(planned_strategy<cell_type<Hidden, Hidden>, float, format>));
    print(hidden, batch, shape, of.name, "forward", who,
          bench::time_graph(ours.stream(), seconds, [&] { ours.forward(mode::inference); }));
    print(hidden, batch, shape, of.name, "training", who, bench::time_graph(ours.stream(), seconds, [&] {
              ours.forward(mode::training);
              ours.backward();
          }));
}

#if WITH_CUDNN
constexpr cudnnRNNMode_t mode_of(std::string_view cell) {
    return cell == "lstm" ? CUDNN_LSTM : cell == "gru" ? CUDNN_GRU : CUDNN_RNN_TANH;
}

void time_cudnn(int hidden, int batch, std::string const& shape, int layers, int directions, batch_case const& of) {
    bool const halves = format == precision::bf16 || format == precision::f16;
    cudnnDataType_t const type = format == precision::bf16  ? CUDNN_DATA_BFLOAT16
                                 : format == precision::f16 ? CUDNN_DATA_HALF
                                                            : CUDNN_DATA_FLOAT;
    // PyTorch's default for float: tensor cores are allowed to round (TF32). Strict float is CUDNN_FMA_MATH.
    cudnnMathType_t const math = halves || format != precision::f32 ? CUDNN_TENSOR_OP_MATH : CUDNN_FMA_MATH;
    struct candidate {
        cudnnRNNAlgo_t algorithm;
        char const* name;
    };
    for (candidate const& one : {candidate{CUDNN_RNN_ALGO_STANDARD, "cudnn standard"},
                                 candidate{CUDNN_RNN_ALGO_PERSIST_STATIC, "cudnn persist_static"},
                                 candidate{CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H, "cudnn persist_static_small_h"}}) {
        cudaStream_t stream;
        bench::check_cuda(cudaStreamCreate(&stream), "cudaStreamCreate");
        try {
            bench::cudnn_layer theirs({mode_of(TEXT(CELL)), hidden, hidden, layers, directions, batch, of.lengths,
                                       of.packed, type, math, one.algorithm},
                                      stream);
            print(hidden, batch, shape, of.name, "forward", one.name,
                  bench::time_graph(stream, seconds, [&] { theirs.forward(false); }));
            print(hidden, batch, shape, of.name, "training", one.name, bench::time_graph(stream, seconds, [&] {
                      theirs.forward(true);
                      theirs.backward();
                  }));
        } catch (std::exception const& failure) {  // most cases suit one or two of the algorithms
            std::fprintf(stderr, "%s %s %d %d %s %s %s: %s\n", TEXT(CELL), TEXT(FORMAT), hidden, batch, shape.c_str(),
                         of.name.c_str(), one.name, failure.what());
            cudaStreamCaptureStatus capturing;
            if (cudaStreamIsCapturing(stream, &capturing) == cudaSuccess && capturing != cudaStreamCaptureStatusNone) {
                cudaGraph_t graph = nullptr;
                cudaStreamEndCapture(stream, &graph);
            }
            (void)cudaGetLastError();
        }
        cudaStreamDestroy(stream);
    }
}
#else
void time_cudnn(int, int, std::string const&, int, int, batch_case const&) {}
#endif

template <int Hidden>
void time_size(int largest) {
    if (Hidden > largest) return;
    using layer = recurrent<cell_type<Hidden, Hidden>>;
    for (int const batch : {16, 64, 128})
        for (batch_case const& of : cases(batch)) {
            time_ours<Hidden, layer>(Hidden, batch, "1 layer", of);
            time_cudnn(Hidden, batch, "1 layer", 1, 1, of);
        }
    if constexpr (Hidden == 128 || Hidden == 256) {
        auto const packed = cases(64)[1];
        time_ours<Hidden, bidirectional<cell_type<Hidden, Hidden>>>(Hidden, 64, "2 directions", packed);
        time_cudnn(Hidden, 64, "2 directions", 1, 2, packed);
        time_ours<Hidden, stacked<2, cell_type<Hidden, Hidden>>>(Hidden, 64, "2 layers", packed);
        time_cudnn(Hidden, 64, "2 layers", 2, 1, packed);
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc > 1) seconds = std::atof(argv[1]);
        int const largest = argc > 2 ? std::atoi(argv[2]) : 1024;
        std::printf("cell,format,hidden,batch,shape,lengths,what,who,us_per_step,iqr_us,ms\n");
        time_size<32>(largest), time_size<64>(largest), time_size<128>(largest);
        time_size<256>(largest), time_size<512>(largest), time_size<1024>(largest);
        return 0;
    } catch (std::exception const& failure) {
        std::fprintf(stderr, "%s\n", failure.what());
        return 1;
    }
}
