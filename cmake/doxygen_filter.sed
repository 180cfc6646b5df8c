# Our comments are plain text: marks for Doxygen those that stand at the start of a line, and the head of each file.
/^ *\/\/\( \|$\)/ {
    s/[\\@<>&#]/\\&/g
    s|//|///|
}
1s|^///|/// \\file\n///|
# Private helpers.
/^namespace detail {/,/^}  \/\/ namespace detail/s/.*//
