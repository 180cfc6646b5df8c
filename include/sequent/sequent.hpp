// sequent on the CPU: all but the readers and writers of JSON-headed files (model/checkpoint.hpp, io/). A table of
// contents.
#pragma once

#include "config.hpp"

#include "core/error.hpp"
#include "core/matrix.hpp"
#include "core/random.hpp"

#include "sequence/packed_sequence.hpp"
#include "sequence/packing.hpp"

#include "cell/cell.hpp"
#include "cell/elman.hpp"
#include "cell/gru.hpp"
#include "cell/lstm.hpp"

#include "backend/cpu/cpu.hpp"

#include "layer/dropout.hpp"
#include "layer/embedding.hpp"
#include "layer/linear.hpp"
#include "layer/pooling.hpp"
#include "layer/recurrent.hpp"
#include "layer/sequential.hpp"

#include "model/model.hpp"

#include "train/adam.hpp"
#include "train/clip_norm.hpp"
#include "train/cross_entropy.hpp"
#include "train/gradient_check.hpp"
#include "train/optimizer.hpp"
#include "train/schedule.hpp"
#include "train/sgd.hpp"
#include "train/sparse_adam.hpp"
#include "train/training.hpp"
