#include "write_hdf5.h"

#include <new>

#include "../common/error.h"

#if SLUICE_WITH_HDF5
#include <hdf5.h>
#endif

namespace sluice::tools {

#if SLUICE_WITH_HDF5
namespace {

/// An identifier of the library, which is closed at the end. The library fails only if memory is
/// missing, as no file is touched.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {
    if (id < 0) throw std::bad_alloc();
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { close_(id_); }
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

void need(bool done) {
  if (!done) throw std::bad_alloc();
}

void write(hid_t file, const Hdf5Array& array) {
  const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose),
      settings(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  need(H5Pset_create_intermediate_group(links, 1) >= 0);
  need(H5Pset_obj_track_times(settings, false) >= 0);  // the same bytes at any time
  const std::vector<hsize_t> shape(array.shape.begin(), array.shape.end());
  const Handle space(H5Screate_simple(int(shape.size()), shape.data(), nullptr), H5Sclose);
  const Handle made(
      H5Dcreate2(file, array.path.c_str(), H5T_IEEE_F32LE, space, links, settings, H5P_DEFAULT),
      H5Dclose);
  need(H5Dwrite(made, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()) >= 0);
}

}  // namespace

std::string write_hdf5(const std::vector<Hdf5Array>& arrays, const std::string& name) {
  constexpr std::size_t step = 1 << 16;         // by which the file in memory grows
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // no messages of the library's own
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  need(H5Pset_fapl_core(access, step, false) >= 0);
  const Handle file(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose);
  for (const Hdf5Array& array : arrays) write(file, array);
  need(H5Fflush(file, H5F_SCOPE_LOCAL) >= 0);
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  need(size > 0);
  std::string bytes(std::size_t(size), '\0');
  need(H5Fget_file_image(file, bytes.data(), bytes.size()) == size);
  return bytes;
}

#else

std::string write_hdf5(const std::vector<Hdf5Array>&, const std::string& name) {
  refuse("{}: this build is without HDF5; install libhdf5-dev and build again", name);
}

#endif

}  // namespace sluice::tools
