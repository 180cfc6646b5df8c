// How loss and accuracy went: of a training of any length at most 256 points, each the mean of equally many batches.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace news {

class learning_curve {
  public:
    struct point {
        double loss = 0;  // summed over rows
        std::int64_t correct = 0, rows = 0;
        std::int64_t first = 0, last = 0;  // batches, counted from 1

        [[nodiscard]] double batch() const { return static_cast<double>(first + last) / 2; }
        [[nodiscard]] double mean_loss() const { return loss / static_cast<double>(rows); }
        [[nodiscard]] double accuracy() const { return static_cast<double>(correct) / static_cast<double>(rows); }
    };

    // The next batch, or several of them.
    void add(point const& next) {
        if (in_last_ < width_ && !points_.empty()) {
            merge(points_.back(), next);
        } else {
            if (points_.size() == longest) halve();
            points_.push_back(next);
            in_last_ = 0;
        }
        ++in_last_;
    }

    [[nodiscard]] std::span<point const> points() const { return points_; }

    // f(name, number[, largest]) reads or sets all that add() depends on.
    template <class F>
    void each_number(F const& f) {
        std::size_t count = points_.size();
        f("points", count, longest), f("width", width_), f("in_last", in_last_, width_);
        points_.resize(count);
        for (point& one : points_)
            f("loss", one.loss), f("correct", one.correct), f("rows", one.rows), f("first", one.first),
                f("last", one.last);
    }

  private:
    static constexpr std::size_t longest = 256;

    static void merge(point& into, point const& next) {
        into.loss += next.loss;
        into.correct += next.correct;
        into.rows += next.rows;
        into.last = next.last;
    }
    void halve() {
        for (std::size_t i = 0; i < longest / 2; ++i) {
            points_[i] = points_[2 * i];
            merge(points_[i], points_[2 * i + 1]);
        }
        points_.resize(longest / 2);
        width_ *= 2;
    }

    std::vector<point> points_;
    std::int64_t width_ = 1, in_last_ = 1;  // calls of add() in a point, and in the last one
};

}  // namespace news
