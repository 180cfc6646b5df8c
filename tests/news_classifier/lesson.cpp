#include "lesson.hpp"

#include <limits>

#include "catch.hpp"

using news::python_float;

TEST_CASE("python_float writes what Python's repr writes", "[lesson]") {
    CHECK(python_float(13597.0 / 22400) == "0.6070089285714285");
    CHECK(python_float(40300.0 / 60800) == "0.662828947368421");
    CHECK(python_float(62816.0 / 86400) == "0.727037037037037");
    CHECK(python_float(65104.0 / 83200) == "0.7825");
    CHECK(python_float(5008.0 / 16000) == "0.313");
    CHECK(python_float(97658.0 / 120000) == "0.8138166666666666");
    CHECK(python_float(1) == "1.0");
    CHECK(python_float(-100) == "-100.0");
    CHECK(python_float(0.0) == "0.0");
    CHECK(python_float(-0.0) == "-0.0");
    CHECK(python_float(0.0001) == "0.0001");
    CHECK(python_float(0.00009999) == "9.999e-05");
    CHECK(python_float(1e-5) == "1e-05");
    CHECK(python_float(9999999999999998.0) == "9999999999999998.0");
    CHECK(python_float(1e16) == "1e+16");
    CHECK(python_float(1.5e300) == "1.5e+300");
    CHECK(python_float(std::numeric_limits<double>::infinity()) == "inf");
    CHECK(python_float(-std::numeric_limits<double>::infinity()) == "-inf");
    CHECK(python_float(std::numeric_limits<double>::quiet_NaN()) == "nan");
}

TEST_CASE("the lesson's lines", "[lesson]") {
    news::lesson_sums sums;
    sums.add(1.5, 989, 3200);
    CHECK(sums.report() == "3200: acc=0.3090625");
    // The two results that the lesson prints are float32 sums over 120,000 rows.
    CHECK(news::lesson_sums{3574.299560546875f, 97658, 120000}.returned() ==
          "(0.029785829671223958, 0.8138166666666666)");
    CHECK(news::lesson_sums{4185.376953125f, 92736, 120000}.returned() == "(0.03487814127604167, 0.7728)");
}

TEST_CASE("the lesson adds up losses in float32", "[lesson]") {
    news::lesson_sums sums;
    for (int batch = 0; batch < 100; ++batch) sums.add(0.1, 1, 16);
    float expected = 0;
    for (int batch = 0; batch < 100; ++batch) expected += 0.1f;
    CHECK(sums.loss == expected);
    CHECK(sums.mean_loss() != Approx(10.0 / 1600).epsilon(1e-9));
    CHECK(sums.mean_loss() == Approx(10.0 / 1600).epsilon(1e-5));
    CHECK(sums.accuracy() == 100.0 / 1600);
}
