# Flags that every target of ours gets, privately: none of them reaches a user of the library.
function(tuxarium_private_flags target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # g++ 12 at -O3 sees an overlap in every `"..." + std::string` (GCC bug 105651).
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  if(TUXARIUM_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(TUXARIUM_SANITIZE)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # With its sanitizers g++ 12 sees uninitialized values in std::regex and std::optional.
      target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    endif()
    target_compile_options(${target} PRIVATE -fsanitize=${TUXARIUM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    # A static library hands the runtime on to whoever links it.
    target_link_options(${target} PUBLIC $<BUILD_INTERFACE:-fsanitize=${TUXARIUM_SANITIZE}>)
  endif()
  if(TUXARIUM_BUILD_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# For a target that instantiates Beast. Under a sanitizer the optimizer takes minutes for one of its files, and g++ then believes that the empty
# optional of Beast's parser is read; so such a target goes without the optimizer there.
function(tuxarium_beast_flags target)
  if(TUXARIUM_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()
