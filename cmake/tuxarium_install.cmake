# Install rules and the package that find_package(tuxarium) reads. Each part is an export set of its own, so that a user of the machine
# alone needs nothing of Dear ImGui.
include(CMakePackageConfigHelpers)
set(tuxarium_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tuxarium)

# What a .deb puts in a package of its own; the programs of sample_app name theirs.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME development)

# The same for those who build without CMake: NAME.pc, which finds its prefix from where it lies. The libraries are static, so what they need is
# named in full.
function(tuxarium_install_pc name description)
  cmake_parse_arguments(pc "" "LIBRARY" "REQUIRES;LIBS" ${ARGN})
  set(pc_name ${name})
  set(pc_description "${description}")
  list(JOIN pc_REQUIRES " " pc_requires)
  list(JOIN pc_LIBS " " pc_libs)
  file(RELATIVE_PATH pc_up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" pc_up "${pc_up}")
  configure_file(${PROJECT_SOURCE_DIR}/cmake/tuxarium.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

install(TARGETS tuxarium_component EXPORT tuxarium_component_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY component/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(EXPORT tuxarium_component_targets NAMESPACE tuxarium:: DESTINATION ${tuxarium_package_dir})
tuxarium_install_pc(tuxarium "An i386 PC inside a program, a slice at a time" LIBRARY tuxarium_component LIBS -pthread)

if(TARGET tuxarium_net)
  install(TARGETS tuxarium_net EXPORT tuxarium_net_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT tuxarium_net_targets NAMESPACE tuxarium:: DESTINATION ${tuxarium_package_dir})
  get_target_property(needed tuxarium_net LINK_LIBRARIES)
  set(slirp)
  if("${TUXARIUM_SLIRP_LIBRARY}" IN_LIST needed)
    set(slirp -lslirp)
  endif()
  tuxarium_install_pc(tuxarium-net "Network links and disks over HTTP for Tuxarium" LIBRARY tuxarium_net REQUIRES tuxarium
    LIBS -lssl -lcrypto ${slirp})
endif()

if(TARGET tuxarium_guest)
  install(TARGETS tuxarium_guest EXPORT tuxarium_guest_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY hao/guest_library/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
  install(EXPORT tuxarium_guest_targets NAMESPACE tuxarium:: DESTINATION ${tuxarium_package_dir})
  tuxarium_install_pc(tuxarium-guest "A Linux for Tuxarium inside a library" LIBRARY tuxarium_guest REQUIRES tuxarium libzstd)
endif()

# The shared library has all that it needs inside or names it itself.
if(TARGET tuxarium_c)
  install(TARGETS tuxarium_c EXPORT tuxarium_c_targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT shared NAMELINK_COMPONENT development)
  install(FILES component/include/tuxarium.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT tuxarium_c_targets NAMESPACE tuxarium:: DESTINATION ${tuxarium_package_dir})
  tuxarium_install_pc(tuxarium-c "Tuxarium for programs in C" LIBRARY tuxarium_c)
endif()

# A frontend on a Dear ImGui target of the host's own cannot name that target in a package.
if(TARGET tuxarium_imgui AND NOT TUXARIUM_IMGUI_TARGET)
  install(TARGETS tuxarium_imgui EXPORT tuxarium_imgui_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY imgui_frontend/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
  install(EXPORT tuxarium_imgui_targets NAMESPACE tuxarium:: DESTINATION ${tuxarium_package_dir})
  tuxarium_install_pc(tuxarium-imgui "The terminal and console window of Tuxarium for Dear ImGui" LIBRARY tuxarium_imgui REQUIRES tuxarium imgui)
endif()

foreach(program tuxarium-run tuxarium-viewer tuxarium-disk tuxarium-bridge)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
  endif()
endforeach()
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_package_config_file(cmake/tuxariumConfig.cmake.in ${PROJECT_BINARY_DIR}/tuxariumConfig.cmake
  INSTALL_DESTINATION ${tuxarium_package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tuxariumConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tuxariumConfig.cmake ${PROJECT_BINARY_DIR}/tuxariumConfigVersion.cmake
  DESTINATION ${tuxarium_package_dir})

include(cmake/tuxarium_packages.cmake)
